#include "bench/load_connection.hpp"

#include "crypto/tls_context.hpp"

#include <sys/socket.h>

#include <algorithm>

namespace concurred::bench {
namespace {

// A slow reader's window, so that the sender notices.
constexpr int slow_window = 4096;
constexpr std::size_t slow_read = 4096;
// A closed loop would try again at once, and so as fast as it can, where nobody listens.
constexpr std::chrono::milliseconds retry_after{20};

}  // namespace

load_connection::load_connection(load_worker& owner)
    : bell(owner.executor()),
      owner_(owner),
      deadline_(
          owner.wheel(), [](void* self) { static_cast<load_connection*>(self)->on_deadline(); }, this) {}

void load_connection::on_deadline() noexcept {
    timed_out_ = true;
    cancel();
}

void load_connection::cancel() noexcept {
    boost::system::error_code ignored;
    if (stream_) {
        stream_->cancel();
    }
    if (connecting_) {
        connecting_->cancel(ignored);
    }
    if (sleeping_) {
        sleeping_->cancel();
    }
}

outcome load_connection::interrupted() const noexcept {
    return timed_out_ ? outcome::timed_out : owner_.over() ? outcome::unfinished : outcome::broken;
}

base::task<bool> load_connection::wait(net::wait_type what) {
    if (!stream_->ready(what) && !timed_out_ && !owner_.over()) {
        co_await stream_->until_ready(what);
    }
    co_return !timed_out_ && !owner_.over();
}

base::task<> load_connection::pause(std::chrono::nanoseconds time) {
    sleeping_.emplace(owner_.executor());
    sleeping_->expires_after(time);
    static_cast<void>(co_await sleeping_->async_wait(base::awaiting));
    sleeping_.reset();
}

base::task<bool> load_connection::connect() {
    if (stream_) {
        co_return true;
    }
    fresh_ = true;
    const load_plan& plan = owner_.plan();
    connecting_.emplace(owner_.executor());
    boost::system::error_code failure;
    connecting_->open(plan.target.protocol(), failure);
    if (!failure && !plan.what.kinds.empty() && kind().read_rate > 0) {
        ::setsockopt(connecting_->native_handle(), SOL_SOCKET, SO_RCVBUF, &slow_window, sizeof slow_window);
    }
    if (!failure) {
        const auto [ec] = co_await connecting_->async_connect(plan.target, base::awaiting);
        failure = ec;
    }
    if (failure || timed_out_) {
        connecting_.reset();
        co_return false;
    }
    crypto::ssl_handle session;
    if (plan.tls) {
        auto made = crypto::make_client_session(plan.tls.get(), plan.host);
        if (!made) {
            connecting_.reset();
            co_return false;
        }
        session = std::move(*made);
    }
    stream_.emplace(std::move(*connecting_), std::move(session));
    connecting_.reset();
    while (stream_->is_tls()) {
        const net::io_result r = stream_->try_handshake();
        if (r.status == net::io_status::ok) {
            break;
        }
        const bool reads = r.status == net::io_status::want_read;
        bool goes_on = reads || r.status == net::io_status::want_write;
        if (goes_on) {
            goes_on = co_await wait(reads ? net::wait_type::read : net::wait_type::write);
        }
        if (!goes_on) {
            stream_.reset();
            co_return false;
        }
    }
    co_return true;
}

base::task<bool> load_connection::send() {
    const load_request& request = owner_.plan().requests[job_.kind];
    const std::string_view key = request.keys.empty() ? std::string_view{} : request.keys[job_.key];
    std::array<std::string_view, 3> parts{request.before_key, key, request.after_key};
    for (;;) {
        std::array<::iovec, 3> pieces{};
        std::size_t left = 0;
        for (std::size_t i = 0; i < parts.size(); ++i) {
            pieces[i] = {const_cast<char*>(parts[i].data()), parts[i].size()};
            left += parts[i].size();
        }
        if (left == 0) {
            co_return true;
        }
        const net::io_result r = stream_->try_write(pieces);
        std::size_t written = r.bytes;
        for (std::string_view& part : parts) {
            const std::size_t n = std::min(written, part.size());
            part.remove_prefix(n);
            written -= n;
        }
        if (r.status == net::io_status::ok) {
            continue;
        }
        bool goes_on = r.status == net::io_status::want_write || r.status == net::io_status::want_read;
        if (goes_on) {
            goes_on =
                co_await wait(r.status == net::io_status::want_write ? net::wait_type::write : net::wait_type::read);
        }
        if (!goes_on) {
            co_return false;
        }
    }
}

void load_connection::on_content(const std::optional<token_stamp>& stamp) {
    const bool first = contents_++ == 0;
    const auto since = now_ - (first ? job_.planned : last_content_);
    last_content_ = now_;
    load_figures& record = owner_.record();
    record.content(job_.kind, job_.planned, first, std::chrono::duration_cast<std::chrono::microseconds>(since).count(),
                   now_);
    if (stamp) {
        record.token(job_.kind, job_.planned, base::micros(now_) - stamp->sent_us, now_);
    }
}

/// What a complete answer is worth.
outcome load_connection::judge() const {
    const auto& expected = kind().expect;
    if (std::ranges::find(expected, answer_.status()) == expected.end()) {
        return outcome::status;
    }
    if (answer_.error_event()) {
        return outcome::error_event;
    }
    return answer_.stream() && !answer_.end_mark() ? outcome::incomplete : outcome::succeeded;
}

base::task<outcome> load_connection::receive() {
    while (!timed_out_ && !owner_.over()) {
        const std::size_t most = kind().read_rate == 0 ? owner_.scratch().size() : slow_read;
        const std::span<char> room = owner_.scratch().first(most);
        const net::io_result r = stream_->try_read(room);
        if (r.status == net::io_status::want_read || r.status == net::io_status::want_write) {
            const bool goes_on =
                co_await wait(r.status == net::io_status::want_read ? net::wait_type::read : net::wait_type::write);
            if (!goes_on) {
                co_return interrupted();
            }
            continue;
        }
        now_ = std::chrono::steady_clock::now();
        if (r.status != net::io_status::ok) {
            const bool ended = r.status == net::io_status::closed && !r.ec;
            co_return ended&& answer_.end_of_input() == load_answer::state::complete ? judge() : outcome::broken;
        }
        received_ += r.bytes;
        const auto state = answer_.feed(room.first(r.bytes), *this);
        if (state == load_answer::state::malformed || answer_.surplus()) {
            co_return outcome::malformed;
        }
        if (state == load_answer::state::complete) {
            co_return judge();
        }
        if (kind().leave_after > 0 && answer_.events() >= kind().leave_after) {
            co_return outcome::left;
        }
        if (kind().read_rate > 0) {
            co_await pause(std::chrono::nanoseconds{1'000'000'000 * r.bytes / kind().read_rate});
        }
    }
    co_return interrupted();
}

base::task<> load_connection::perform(load_job job) {
    job_ = job;
    timed_out_ = false;
    deadline_.expires_at(std::chrono::steady_clock::now() + owner_.plan().what.timeout);
    for (;;) {
        received_ = 0;
        contents_ = 0;
        answer_.begin();
        const bool connected = co_await connect();
        sent_ = now_ = std::chrono::steady_clock::now();
        if (!connected) {
            count(timed_out_ || owner_.over() ? interrupted() : outcome::unconnected);
            if (!owner_.over() && owner_.plan().what.mode == load_mode::closed) {
                co_await pause(retry_after);
            }
            break;
        }
        const bool reused = !std::exchange(fresh_, false);
        owner_.record().sent();
        const bool sent = co_await send();
        outcome what = interrupted();
        if (sent) {
            what = co_await receive();
        }
        if (what == outcome::succeeded && kind().frames > 0) {
            answer_.order().end(kind().frames);
        }
        // A kept connection may be closed by the server at the very moment it is used again: that is no failure.
        const bool again = reused && what == outcome::broken && !answer_.any_byte();
        const bool keeps = answer_.status() != 0 && answer_.keep_alive() &&
                           (what == outcome::succeeded || what == outcome::status || what == outcome::incomplete ||
                            what == outcome::error_event);
        if (!keeps) {
            stream_.reset();
        }
        if (!again) {
            count(what);
            break;
        }
        owner_.record().reconnected();
    }
    deadline_.clear();
    answer_.shrink();
}

void load_connection::count(outcome what) {
    load_sample sample;
    sample.kind = job_.kind;
    sample.what = what;
    sample.status = answer_.status();
    sample.stream = answer_.stream();
    sample.planned = job_.planned;
    sample.sent = sent_;
    sample.done = std::chrono::steady_clock::now();
    sample.events = answer_.events();
    sample.bytes = received_;
    if (what != outcome::left && what != outcome::unfinished) {
        sample.lost = answer_.order().lost();
    }
    sample.duplicated = answer_.order().duplicated();
    sample.reordered = answer_.order().reordered();
    owner_.record().end(sample);
}

base::task<> load_connection::only_connect() {
    deadline_.expires_at(std::chrono::steady_clock::now() + owner_.plan().what.timeout);
    static_cast<void>(co_await connect());
    deadline_.clear();
}

}  // namespace concurred::bench
