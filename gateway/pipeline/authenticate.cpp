#include "gateway/pipeline/authenticate.hpp"

#include "auth/credential.hpp"
#include "gateway/pipeline/ready.hpp"
#include "gateway/pipeline/router.hpp"

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

}  // namespace

void authenticate::accept(http::exchange& x, const auth::principal& who) const noexcept {
    x.principal = &who;
    x.usage.owner = who.owner;
    x.usage.key_id = who.key_id;
    x.times.authenticated = std::chrono::steady_clock::now();
}

base::task<result<http::response>> authenticate::handle(http::exchange& x) {
    if (x.endpoint->credentials == access::open) {
        return next_.handle(x);
    }
    const auto credential = credential_of(x.head);
    if (!credential) {
        x.headers.field("WWW-Authenticate", "Bearer");
        return ready(credential.error());
    }
    // Known and unknown keys cost the same hash.
    const crypto::digest256 key = authenticator_.digest(*credential);
    const auth::authenticator::answer known = authenticator_.find(key, x.times.arrived, x.arrived_at);
    switch (known.state) {
        case auth::authenticator::outcome::good:
            accept(x, *known.who);
            return next_.handle(x);
        case auth::authenticator::outcome::bad:
            x.headers.field("WWW-Authenticate", "Bearer");
            return ready(authenticator_.refuse(x.client));
        case auth::authenticator::outcome::unknown:
            break;
    }
    return look_up(x, key);
}

base::task<result<http::response>> authenticate::look_up(http::exchange& x, crypto::digest256 key) {
    const result<const auth::principal*> who = co_await authenticator_.look_up(key, x.client);
    if (!who) {
        if (base::status_of(who.error()) == 401) {
            x.headers.field("WWW-Authenticate", "Bearer");
        }
        co_return who.error();
    }
    accept(x, **who);
    result<http::response> r = co_await next_.handle(x);
    co_return std::move(r);
}

}  // namespace concurred::pipeline
