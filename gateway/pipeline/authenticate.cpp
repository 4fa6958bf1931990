#include "gateway/pipeline/authenticate.hpp"

#include "auth/credential.hpp"
#include "auth/limit_headers.hpp"
#include "auth/session_cookie.hpp"
#include "gateway/pipeline/ready.hpp"
#include "gateway/pipeline/router.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>

namespace concurred::pipeline {

namespace {

using base::result;

// More lines of one credential than this are refused: two already are.
constexpr std::size_t most_lines = 4;

struct lines {
    std::array<std::string_view, most_lines> values;
    std::size_t count = 0;

    void add(std::string_view value) noexcept {
        if (count < most_lines) {
            values[count++] = value;
        }
    }
    [[nodiscard]] std::span<const std::string_view> view() const noexcept { return {values.data(), count}; }
};

// Whether anything is there that could be meant as a key, good or not.
bool has_key(const http::request_head& head) noexcept {
    return std::ranges::any_of(head.fields(), [](const http::field& f) {
        return !f.value.empty() && (http::iequals(f.name, "authorization") || http::iequals(f.name, "x-api-key"));
    });
}

// HTTP/1.1 has one Cookie line; HTTP/2 front ends split it.
struct cookie_lines {
    std::array<std::string_view, 16> values;
    std::size_t count = 0;

    explicit cookie_lines(const http::request_head& head) noexcept {
        for (const http::field& f : head.fields()) {
            if (f.name.size() == 6 && http::iequals(f.name, "cookie") && count < values.size()) {
                values[count++] = f.value;
            }
        }
    }
    [[nodiscard]] std::span<const std::string_view> view() const noexcept { return {values.data(), count}; }
};

bool changes_something(http::verb method) noexcept {
    return method != http::verb::get && method != http::verb::head;
}

base::error session_error(std::string_view reason, std::string message) {
    base::error e = base::client_error(base::errc::unauthorized, std::move(message));
    e.details = "{\"reason\":\"" + std::string(reason) + "\"}";
    return e;
}

void challenge(http::exchange& x) noexcept {
    const bool only_session = x.endpoint->credentials == access::session;
    x.headers.field("WWW-Authenticate", only_session ? "Cookie realm=\"dashboard\"" : "Bearer");
}

result<std::string_view> credential_of(const http::request_head& head) {
    lines authorization;
    lines api_key;
    for (const http::field& f : head.fields()) {
        if (f.name.size() == 13 && http::iequals(f.name, "authorization")) {
            authorization.add(f.value);
        } else if (f.name.size() == 9 && http::iequals(f.name, "x-api-key")) {
            api_key.add(f.value);
        }
    }
    return auth::extract_credential(authorization.view(), api_key.view());
}

base::error refused(http::exchange& x, base::error e) {
    if (base::status_of(e) == 401) {
        x.headers.field("WWW-Authenticate", "Bearer");
    }
    return e;
}

}  // namespace

void authenticate::accept(http::exchange& x, const auth::principal& who) const noexcept {
    x.principal = &who;
    x.usage.owner = who.owner;
    x.usage.key_id = who.key_id;
    x.spend = who.spend;
    x.times.authenticated = std::chrono::steady_clock::now();
}

// How old the knowledge is that lets this request in: what a key's owner and its operator want to know after a change.
void authenticate::tell_age(http::exchange& x, const auth::principal& who) const noexcept {
    const std::int64_t ms = std::max<std::int64_t>(base::unix_millis(x.arrived_at) - who.verified_ms, 0);
    base::text_buffer<32> seconds;
    seconds.append(ms / 1'000).append(".");
    for (std::int64_t unit = 100, rest = ms % 1'000; unit != 0; rest %= unit, unit /= 10) {
        seconds.append(rest / unit);
    }
    x.headers.field("X-Concurred-Key-Age", seconds.view());
    metrics_.key_age(std::chrono::milliseconds(ms));
}

base::task<result<http::response>> authenticate::handle(http::exchange& x) {
    switch (x.endpoint->credentials) {
        case access::open:
            return next_.handle(x);
        case access::key:
            break;
        case access::session:
            return by_session(x);
        case access::either:
            if (!has_key(x.head) &&
                auth::has_session_cookie(cookie_lines(x.head).view(), sessions_.verifier.cookie_name())) {
                return by_session(x);
            }
            break;
    }
    const auto credential = credential_of(x.head);
    if (!credential) {
        x.headers.field("WWW-Authenticate", "Bearer");
        return ready(credential.error());
    }
    // Known and unknown keys cost the same hash.
    const crypto::digest256 key = authenticator_.digest(*credential);
    const auth::authenticator::answer known = authenticator_.find(key, *credential, x.times.arrived, x.arrived_at);
    switch (known.state) {
        case auth::authenticator::outcome::good:
            accept(x, *known.who);
            tell_age(x, *known.who);
            return next_.handle(x);
        case auth::authenticator::outcome::bad:
            return ready(refused(x, authenticator_.refuse(x.client, known.why)));
        case auth::authenticator::outcome::unknown:
            break;
    }
    return look_up(x, key, crypto::secret_string(*credential));
}

base::task<result<http::response>> authenticate::look_up(http::exchange& x, crypto::digest256 key,
                                                         crypto::secret_string text) {
    const result<const auth::principal*> who = co_await authenticator_.look_up(key, std::move(text), x.client);
    if (!who) {
        co_return refused(x, who.error());
    }
    accept(x, **who);
    tell_age(x, **who);
    result<http::response> r = co_await next_.handle(x);
    co_return std::move(r);
}

base::task<result<http::response>> authenticate::by_session(http::exchange& x) {
    if (has_key(x.head)) {
        challenge(x);
        return ready(session_error("session_required",
                                   "This path takes only the dashboard's session, not an API key. Sign in to the "
                                   "dashboard, and send its cookie without an API key."));
    }
    const auth::client_address address = auth::client_address::v6(x.client.bytes);
    if (!address.is_loopback()) {
        const auto decision = sessions_.failures.would_acquire(address, base::micros(x.times.arrived));
        if (!decision.allowed) {
            return ready(auth::limit_error(decision));
        }
    }
    const cookie_lines cookies(x.head);
    const auth::session_check found = sessions_.verifier.check(cookies.view(), x.arrived_at);
    if (found.fault == auth::session_fault::unknown_key) {
        return learn_keys(x);
    }
    if (auto ok = accept_session(x, found); !ok) {
        return ready(ok.error());
    }
    return next_.handle(x);
}

base::task<result<http::response>> authenticate::learn_keys(http::exchange& x) {
    const cookie_lines cookies(x.head);
    const result<auth::session_check> found = co_await sessions_.verifier.check_again(cookies.view());
    if (!found) {
        co_return found.error();
    }
    if (auto ok = accept_session(x, *found); !ok) {
        co_return ok.error();
    }
    result<http::response> r = co_await next_.handle(x);
    co_return std::move(r);
}

result<void> authenticate::accept_session(http::exchange& x, const auth::session_check& found) {
    if (found.fault != auth::session_fault::none) {
        return refuse_session(x, found.fault);
    }
    const auth::session& who = found.who;
    if (changes_something(x.head.method)) {
        if (auto ok = check_cross_site(x.head, sessions_.origins); !ok) {
            return ok.error();
        }
        if (sessions_.require_mfa && !who.two_factors) {
            return base::client_error(base::errc::forbidden,
                                      "Changes need a session that was opened with a second factor.");
        }
    }
    if (who.anonymous && x.endpoint->credentials == access::session) {
        return base::client_error(base::errc::forbidden, "Keys can be managed only by users who are not anonymous.");
    }
    const auto limit_id = auth::session_limit_id(who);
    signed_in_ = auth::make_session_principal(who, sessions_.per_minute, sessions_.states.state_for(limit_id.view()));
    accept(x, *signed_in_);
    x.usage.key_id = std::string_view();  // it is no key
    return {};
}

base::error authenticate::refuse_session(http::exchange& x, auth::session_fault fault) {
    challenge(x);
    if (fault == auth::session_fault::expired) {
        return session_error("session_expired", "The session has expired. Refresh it, and send the request again.");
    }
    const bool none = !auth::has_session_cookie(cookie_lines(x.head).view(), sessions_.verifier.cookie_name());
    const auth::client_address address = auth::client_address::v6(x.client.bytes);
    if (!none && !address.is_loopback()) {
        static_cast<void>(sessions_.failures.try_acquire(address, base::micros(x.times.arrived)));
    }
    return none
               ? session_error("session_required", "This path takes the dashboard's session. Sign in to the dashboard.")
               : session_error("session_invalid", "The session is not valid. Sign in to the dashboard again.");
}

}  // namespace concurred::pipeline
