#include "upstream/provider_call.hpp"

#include "gateway/net/pieces.hpp"

#include <boost/asio/error.hpp>

#include <algorithm>
#include <array>
#include <cstring>
#include <string>
#include <utility>

namespace concurred::upstream {

namespace {

using base::errc;
using base::retry_class;
using base::steady_time;
using clock = std::chrono::steady_clock;

constexpr std::size_t least_space = 4'096;
constexpr std::size_t most_pieces = 24;
constexpr std::chrono::seconds end_grace{1};
// How often a request that the provider does not take is checked for an answer that has come before its time.
constexpr std::chrono::milliseconds early_answer_poll{100};

steady_time after(steady_time from, std::chrono::milliseconds budget) noexcept {
    return budget.count() == 0 ? steady_time::max() : from + budget;
}

std::string seconds_text(std::chrono::milliseconds time) {
    return time.count() % 1000 == 0 ? std::to_string(time.count() / 1000) + " s" : std::to_string(time.count()) + " ms";
}

}  // namespace

provider_call::provider_call(net::lease lease, std::string_view provider, const time_budgets& budgets,
                             base::buffer_pool& buffers, base::timing_wheel& wheel, http::exchange& x)
    : lease_(std::move(lease)),
      provider_(provider),
      budgets_(budgets),
      exchange_(x),
      buffers_(buffers),
      timer_(
          wheel, [](void* self) { static_cast<provider_call*>(self)->wake(); }, this),
      on_abort_(
          x.abort, [](void* self) noexcept { static_cast<provider_call*>(self)->wake(); }, this),
      started_(clock::now()),
      last_read_(started_),
      last_output_(budgets.quiet_since == steady_time() ? started_ : budgets.quiet_since),
      reused_(lease_.reused()) {}

base::error provider_call::stopped() const {
    if (exchange_.abort.reason() == http::abort_reason::client_gone) {
        return base::client_error(errc::client_gone, {});
    }
    return base::gateway_error(errc::service_unavailable, "The gateway is being restarted. Send the request again.");
}

base::error provider_call::lost(boost::system::error_code ec) const {
    const bool safe = reused_ && !any_byte_;
    std::string what = "The provider '" + std::string(provider_) + "' closed the connection ";
    what += any_byte_ ? "in the middle of its answer." : "without an answer.";
    return base::upstream_error(errc::upstream_error, std::move(what),
                                safe ? retry_class::reused_only : retry_class::safe, ec);
}

base::task<base::result<void>> provider_call::send(std::span<const std::string_view> pieces) {
    std::array<::iovec, most_pieces> vectors;
    std::transform(pieces.begin(), pieces.end(), vectors.begin(), net::piece);
    std::span<::iovec> left(vectors.data(), pieces.size());
    bool waited = false;
    while (!left.empty()) {
        const net::io_result r = lease_.stream().try_write(left);
        if (r.status == net::io_status::ok) {
            left = net::advance(left, r.bytes);
            if (std::exchange(waited, false)) {
                last_read_ = clock::now();  // it goes on
            }
            continue;
        }
        if (r.status == net::io_status::closed || r.status == net::io_status::failed) {
            co_return lost(r.ec);
        }
        const steady_time now = clock::now();
        if (exchange_.abort.fired()) {
            co_return stopped();
        }
        if (waited && !lease_.stream().quiet()) {
            co_return lost({});
        }
        const steady_time deadline =
            std::min({after(last_read_, budgets_.idle), after(started_, budgets_.total), budgets_.begin_by});
        if (now >= deadline) {
            if (now >= budgets_.begin_by) {
                co_return begun_too_late();
            }
            const bool idle = deadline != after(started_, budgets_.total);
            co_return base::upstream_error(errc::upstream_timeout,
                                           "The provider '" + std::string(provider_) +
                                               "' did not take the request within " +
                                               seconds_text(idle ? budgets_.idle : budgets_.total) +
                                               (idle ? " (idle_timeout)." : " (total_timeout)."));
        }
        waited = true;
        timer_.expires_at(std::min(deadline, now + early_answer_poll));
        const auto what = r.status == net::io_status::want_read ? net::wait_type::read : net::wait_type::write;
        if (!lease_.stream().ready(what)) {
            co_await lease_.stream().until_ready(what);
        }
        timer_.clear();
    }
    request_sent_ = true;
    last_read_ = clock::now();
    co_return base::result<void>();
}

std::span<char> provider_call::space() {
    if (!buffer_) {
        buffer_ = buffers_.take();
    }
    if (taken_ != 0) {
        std::memmove(buffer_.data(), buffer_.data() + taken_, payload_end_ - taken_);
        payload_end_ -= taken_;
        taken_ = 0;
    }
    if (raw_begin_ == raw_end_) {
        raw_begin_ = raw_end_ = payload_end_;
    }
    if (buffer_.size() - raw_end_ < least_space) {
        std::memmove(buffer_.data() + payload_end_, buffer_.data() + raw_begin_, raw_end_ - raw_begin_);
        raw_end_ -= raw_begin_ - payload_end_;
        raw_begin_ = payload_end_;
        if (buffer_.size() - raw_end_ < least_space) {
            buffer_.grow(2 * buffer_.size(), raw_end_);
        }
    }
    return {buffer_.data() + raw_end_, buffer_.size() - raw_end_};
}

// True when there is something to tell: the head, payload or the end.
base::result<bool> provider_call::parse() {
    const auto done = parser_.feed({buffer_.data() + raw_begin_, raw_end_ - raw_begin_}, buffer_.data() + payload_end_);
    if (!done) {
        base::error e = done.error();
        e.message = "The provider '" + std::string(provider_) + "' sent an answer that is not proper HTTP.";
        return e;
    }
    raw_begin_ += done->consumed;
    payload_end_ += done->produced;
    const bool head_is_new = done->head_complete && !head_complete_;
    head_complete_ = done->head_complete;
    return head_is_new || done->produced != 0 || done->finished;
}

steady_time provider_call::next_deadline() const noexcept {
    const steady_time token =
        waiting_first_token_ ? after(started_, budgets_.first_token) : after(last_read_, budgets_.idle);
    return std::min(
        {token, after(started_, budgets_.total), after(last_output_, budgets_.silence), budgets_.begin_by, end_by_});
}

base::error provider_call::begun_too_late() const {
    return base::upstream_error(errc::upstream_timeout, "The provider '" + std::string(provider_) +
                                                            "' did not begin its answer within the request's timeout.");
}

// What a deadline that has passed means.
base::result<provider_call::pulled> provider_call::overdue(steady_time now) {
    if (now >= end_by_) {
        return pulled::end;
    }
    if (now >= budgets_.begin_by) {
        return begun_too_late();
    }
    const std::string who = "The provider '" + std::string(provider_) + "' ";
    if (now >= after(started_, budgets_.total)) {
        return base::upstream_error(errc::upstream_timeout, who + "did not finish its answer within " +
                                                                seconds_text(budgets_.total) + " (total_timeout).");
    }
    if (waiting_first_token_ && now >= after(started_, budgets_.first_token)) {
        return base::upstream_error(
            errc::upstream_timeout,
            who + "sent no content within " + seconds_text(budgets_.first_token) + " (first_token_timeout).");
    }
    if (!waiting_first_token_ && now >= after(last_read_, budgets_.idle)) {
        return base::upstream_error(errc::upstream_timeout, who + "went silent in its answer for " +
                                                                seconds_text(budgets_.idle) + " (idle_timeout).");
    }
    return pulled::silence;
}

base::result<provider_call::pulled> provider_call::ended_by_peer(const net::io_result& r) {
    if (r.status == net::io_status::closed && parser_.finish_at_eof()) {
        return pulled::end;
    }
    return lost(r.ec);
}

void provider_call::finished() {
    // Behind half a request nothing may follow.
    if (request_sent_ && parser_.keep_alive() && raw_begin_ == raw_end_) {
        lease_.give_back(clock::now());
    } else {
        lease_ = net::lease();
    }
}

base::task<base::result<provider_call::pulled>> provider_call::pull() {
    for (;;) {
        if (exchange_.abort.fired() || given_up_) {
            co_return stopped();
        }
        const steady_time now = clock::now();
        if (lease_.stream().ready(net::wait_type::read)) {
            const std::span<char> into = space();
            const net::io_result r = lease_.stream().try_read(into);
            if (r.status == net::io_status::ok) {
                last_read_ = now;
                any_byte_ = true;
                raw_end_ += r.bytes;
                const auto news = parse();
                if (!news) {
                    co_return news.error();
                }
                if (exchange_.times.first_byte == steady_time()) {
                    exchange_.times.first_byte = now;
                }
                if (parser_.finished()) {
                    finished();
                    co_return pulled::end;
                }
                if (*news) {
                    co_return pulled::data;
                }
                continue;
            }
            if (r.status == net::io_status::closed || r.status == net::io_status::failed) {
                co_return ended_by_peer(r);
            }
        }
        const steady_time deadline = next_deadline();
        if (now >= deadline) {
            co_return overdue(now);
        }
        timer_.expires_at(deadline);
        if (!lease_.stream().ready(net::wait_type::read)) {
            co_await lease_.stream().until_ready(net::wait_type::read);
        }
        timer_.clear();
    }
}

void provider_call::output_sent() noexcept {
    last_output_ = clock::now();
}

void provider_call::expect_end() noexcept {
    end_by_ = std::min(end_by_, clock::now() + end_grace);
}

}  // namespace concurred::upstream
