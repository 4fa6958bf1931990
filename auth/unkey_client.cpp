#include "auth/unkey_client.hpp"

#include "auth/key_source.hpp"
#include "gateway/base/clock.hpp"

#include <boost/asio/basic_waitable_timer.hpp>

#include <algorithm>
#include <utility>

namespace concurred::auth {

namespace {

using base::errc;
using base::result;
using std::chrono::milliseconds;
using clock = std::chrono::steady_clock;
using timer = boost::asio::basic_waitable_timer<clock, boost::asio::wait_traits<clock>, base::executor>;

constexpr milliseconds manage_deadline{5'000};
constexpr milliseconds least_for_retry{300};
constexpr std::size_t most_verification = 262'144;
constexpr std::size_t most_list = 4'194'304;
constexpr unsigned management_connections = 8;

crypto::secret_string header_of(const std::string& root_key) {
    return root_key.empty() ? crypto::secret_string()
                            : crypto::secret_string("Authorization: Bearer " + root_key + "\r\n");
}

net::json_client::params pooled(net::json_client::params p, std::uint32_t most) {
    p.pool.max_connections = most + management_connections;
    return p;
}

std::uint32_t share_of(unsigned total, unsigned shards) noexcept {
    return std::max(2U, total / std::max(1U, shards));
}

/// Seconds, as Unkey sends them; 0 for anything else.
milliseconds pause_of(std::string_view retry_after) noexcept {
    std::int64_t seconds = 0;
    for (const char c : retry_after) {
        if (c < '0' || c > '9' || seconds > 3'600) {
            return {};
        }
        seconds = 10 * seconds + (c - '0');
    }
    return std::chrono::seconds(seconds);
}

/// 50 to 150 ms: retries of several shards and replicas must not fall together.
milliseconds retry_pause() noexcept {
    return milliseconds(50 + clock::now().time_since_epoch().count() / 1'000 % 101);
}

base::error unavailable(std::string message) {
    return base::gateway_error(errc::service_unavailable, std::move(message));
}

std::string_view name_of(unkey_fault fault) noexcept {
    switch (fault) {
        case unkey_fault::not_found:
            return "not found";
        case unkey_fault::refused:
            return "the root key is refused";
        case unkey_fault::limited:
            return "too many calls";
        case unkey_fault::unavailable:
        case unkey_fault::overloaded:
            break;
    }
    return "failed";
}

}  // namespace

/// A verification under way.
class unkey_client::place {
public:
    place(unkey_client& client, bool known) : client_(client), known_(known) {
        taken_ = client.running_ < client.most_ && (known || client.running_unknown_ < client.most_unknown_);
        if (taken_) {
            ++client.running_;
            client.running_unknown_ += known ? 0 : 1;
        }
    }
    ~place() {
        if (taken_) {
            --client_.running_;
            client_.running_unknown_ -= known_ ? 0 : 1;
        }
    }
    place(const place&) = delete;
    place& operator=(const place&) = delete;

    [[nodiscard]] explicit operator bool() const noexcept { return taken_; }

private:
    unkey_client& client_;
    bool known_;
    bool taken_ = false;
};

unkey_client::unkey_client(const params& p)
    : executor_(p.connection.executor),
      settings_(p.settings),
      default_rate_limit_(p.default_rate_limit),
      log_(p.log),
      client_(pooled(p.connection, share_of(p.settings.max_concurrent, p.shards))),
      verify_header_(header_of(p.settings.verify_key)),
      manage_header_(header_of(p.settings.manage_key)),
      most_(share_of(p.settings.max_concurrent, p.shards)),
      most_unknown_(most_ - std::max(1U, most_ / 4)) {}

base::error unkey_client::refuse(milliseconds wait) {
    ++refused_;
    base::error e = unavailable("The key service is not asked at the moment.");
    e.retry_after = wait;
    return e;
}

void unkey_client::report(bool good) {
    if (breaker_.open() && !reported_open_) {
        reported_open_ = true;
        log_.warn("the key service fails: known keys are served from memory, others refused with 503");
    } else if (good && reported_open_) {
        reported_open_ = false;
        log_.info("the key service answers again");
    }
}

base::task<result<key_answer>> unkey_client::verify(const crypto::secret_string& key, bool known) {
    const place mine(*this, known);
    if (!mine) {
        co_return refuse(std::chrono::seconds(1));
    }
    const auto started = clock::now();
    if (breaker_.ask(started) == service_breaker::verdict::refuse) {
        co_return refuse(breaker_.wait(started));
    }
    const crypto::secret_string body = unkey_verify_body(key.reveal());
    const auto end_by = started + settings_.timeout;
    attempt last = co_await verify_once(body.reveal(), settings_.timeout);
    if (last.again && end_by - clock::now() > least_for_retry) {
        // A timer of its own, not the wheel: it ends by itself when the process does.
        timer pause(executor_, retry_pause());
        co_await pause.async_wait(base::awaiting);
        const auto left = std::chrono::duration_cast<milliseconds>(end_by - clock::now());
        last = co_await verify_once(body.reveal(), left);
    }
    if (last.answer) {
        ++verified_;
        breaker_.succeeded(clock::now());
    } else if (!last.ours) {
        ++failed_;
        breaker_.failed(clock::now(), last.pause);
    }
    report(last.answer.has_value());
    co_return std::move(last.answer);
}

base::task<unkey_client::attempt> unkey_client::verify_once(std::string_view body, milliseconds deadline) {
    attempt out{.answer = unavailable("The key service failed.")};
    const net::json_request request{.path = "/v2/keys.verifyKey",
                                    .headers = verify_header_.reveal(),
                                    .body = body,
                                    .deadline = deadline,
                                    .most_bytes = most_verification};
    const result<net::json_reply> reply = co_await client_.call(request);
    if (!reply) {
        out.ours = reply.error().code == errc::service_unavailable;
        out.again =
            !out.ours && reply.error().code == errc::upstream_error && reply.error().retry == base::retry_class::safe;
        log_.warn("the key service gave no answer", {{"cause", base::text_of(reply.error())}});
        co_return std::move(out);
    }
    const auto data = unkey_data(reply->status, reply->body);
    if (!data) {
        out.again = data.error() == unkey_fault::overloaded;
        out.pause = data.error() == unkey_fault::limited
                        ? std::max(pause_of(reply->retry_after.view()), milliseconds(1'000))
                        : milliseconds(0);
        log_.warn("the key service did not verify a key", {{"status", reply->status},
                                                           {"what", name_of(data.error())},
                                                           {"code", std::string_view(unkey_error_code(reply->body))}});
        co_return std::move(out);
    }
    auto answer =
        parse_unkey_verification(*data, default_rate_limit_, base::unix_millis(std::chrono::system_clock::now()));
    if (answer) {
        out.answer = std::move(*answer);
    } else {
        log_.warn("the key service sent a verification that makes no sense");
    }
    co_return std::move(out);
}

base::task<unkey_client::managed> unkey_client::manage(std::string_view procedure, std::string_view body,
                                                       bool repeatable) {
    const std::string path = "/v2/" + std::string(procedure);
    const net::json_request request{.path = path,
                                    .headers = manage_header_.reveal(),
                                    .body = body,
                                    .deadline = manage_deadline,
                                    .most_bytes = most_list,
                                    .repeatable = repeatable};
    result<net::json_reply> reply = co_await client_.call(request);
    managed out;
    if (!reply) {
        out.unseen = reply.error().retry == base::retry_class::safe;
        log_.warn("the key service gave no answer",
                  {{"procedure", procedure}, {"cause", base::text_of(reply.error())}});
        co_return std::move(out);
    }
    const auto data = unkey_data(reply->status, reply->body);
    if (data) {
        out.ok = true;
        out.body = std::move(reply->body);
        co_return std::move(out);
    }
    out.fault = data.error();
    // These statuses come before anything is done.
    out.unseen = out.fault == unkey_fault::refused || out.fault == unkey_fault::limited;
    if (out.fault != unkey_fault::not_found) {
        log_.warn("the key service refused a call", {{"procedure", procedure},
                                                     {"status", reply->status},
                                                     {"code", std::string_view(unkey_error_code(reply->body))}});
    }
    co_return std::move(out);
}

unkey_client::counts unkey_client::numbers() const noexcept {
    return {.verified = verified_, .failed = failed_, .refused = refused_, .open = breaker_.open()};
}

}  // namespace concurred::auth
