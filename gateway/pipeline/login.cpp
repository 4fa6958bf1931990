#include "gateway/pipeline/login.hpp"

#include "auth/limit_headers.hpp"
#include "auth/own_sessions.hpp"
#include "storage/call.hpp"

#include <chrono>
#include <string>
#include <utility>

namespace concurred::pipeline {

namespace {

using base::errc;
using base::result;

base::error no_such_link() {
    return base::client_error(errc::unauthorized,
                              "This link is not valid: it was used already, or is older than 15 minutes. "
                              "'concurred login-link' prints a new one.");
}

bool only_looks_ahead(const http::request_head& head) noexcept {
    return head.method != http::verb::get || head.find("sec-purpose").find("prefetch") != std::string_view::npos ||
           head.find("purpose") == "prefetch";
}

}  // namespace

base::task<result<http::response>> login::handle(http::exchange& x) {
    if (desk_.secret.empty()) {
        co_return base::client_error(errc::not_found, {});
    }
    x.headers.append("Cache-Control: no-store\r\nReferrer-Policy: no-referrer\r\n");
    if (only_looks_ahead(x.head)) {
        http::response nothing;
        nothing.status = 204;
        co_return std::move(nothing);
    }
    const auth::client_address address = auth::client_address::v6(x.client.bytes);
    const auto decision = desk_.failures.would_acquire(address, base::micros(x.times.arrived));
    if (!decision.allowed && !address.is_loopback()) {
        co_return auth::limit_error(decision);
    }
    constexpr std::string_view parameter = "code=";
    const std::string_view query = x.head.query;
    const auto hash =
        query.starts_with(parameter) ? auth::login_code_hash(query.substr(parameter.size())) : std::nullopt;
    std::optional<std::string> owner;
    if (hash) {
        auto take = [this, &hash, now = base::unix_millis(x.arrived_at)] { return desk_.links.take(*hash, now); };
        auto taken = co_await storage::call(desk_.database, desk_.shard, std::move(take));
        if (!taken || !*taken) {
            base::error e = base::gateway_error(errc::service_unavailable, "Signing in is not possible at the moment.");
            e.retry_after = std::chrono::seconds(1);
            co_return e;
        }
        owner = std::move(**taken);
    }
    if (!owner) {
        static_cast<void>(desk_.failures.try_acquire(address, base::micros(x.times.arrived)));
        x.headers.field("WWW-Authenticate", "Cookie realm=\"dashboard\"");
        co_return no_such_link();
    }
    const std::chrono::milliseconds lifetime = x.settings->session.lifetime;
    x.headers.append("Set-Cookie: ").append(auth::own_cookie_name).append("=");
    x.headers.append(auth::issue_session(desk_.secret, *owner, lifetime, x.arrived_at));
    x.headers.append("; Path=/; HttpOnly; SameSite=Lax; Max-Age=").append(lifetime.count() / 1'000);
    x.headers.append(desk_.secure ? "; Secure\r\n" : "\r\n");
    x.headers.field("Location", "/");
    http::response r;
    r.status = 303;
    co_return std::move(r);
}

}  // namespace concurred::pipeline
