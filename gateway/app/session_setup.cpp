#include "gateway/app/session_setup.hpp"

#include "auth/fetched_keys.hpp"
#include "auth/own_sessions.hpp"
#include "auth/session_cookie.hpp"
#include "gateway/net/url.hpp"

#include <chrono>
#include <string>
#include <utility>
#include <vector>

namespace concurred::app {

namespace {

using keys_result = base::result<std::unique_ptr<auth::session_keys>>;

base::result<std::vector<auth::named_key>> shared_secret(std::string_view secret) {
    auto key = crypto::jws_key::hs256(crypto::secret_string(secret));
    if (!key) {
        return std::move(key).error();
    }
    std::vector<auth::named_key> keys;
    keys.push_back({{}, std::move(*key)});
    return keys;
}

keys_result supabase_keys(const base::supabase_config& supabase, const session_surroundings& around) {
    std::vector<auth::named_key> configured;
    if (!supabase.jwt_secret.empty()) {
        auto keys = shared_secret(supabase.jwt_secret);
        if (!keys) {
            return std::move(keys).error();
        }
        configured = std::move(*keys);
    }
    const std::string url = jwks_url_of(supabase);
    if (url.empty()) {
        return auth::make_fixed_keys(std::move(configured));
    }
    const std::size_t slash = url.rfind('/');
    if (slash <= url.find("://") + 2) {
        return base::gateway_error(base::errc::internal,
                                   "supabase.jwks_url: has no path, allowed: the key set's own URL");
    }
    auto target = net::parse_url(url.substr(0, slash));
    if (!target) {
        base::error e = target.error();
        e.message = "supabase.jwks_url: " + std::string(base::text_of(e));
        return e;
    }
    return std::unique_ptr<auth::session_keys>(std::make_unique<auth::fetched_keys>(
        auth::fetched_keys::params{.executor = around.executor,
                                   .client = {.executor = around.executor,
                                              .wheel = around.wheel,
                                              .resolver = around.resolver,
                                              .target = std::move(*target),
                                              .tls = around.tls,
                                              .pool = {.max_connections = 2, .max_waiters = 8}},
                                   .path = url.substr(slash),
                                   .background = around.background,
                                   .log = around.log,
                                   .configured = std::move(configured)}));
}

}  // namespace

std::string jwks_url_of(const base::supabase_config& supabase) {
    if (supabase.url.empty() || !supabase.jwks_url.empty()) {
        return supabase.jwks_url;
    }
    return supabase.jwt_secret.empty() ? supabase.url + "/auth/v1/.well-known/jwks.json" : std::string();
}

base::result<auth::session_verifier> make_session_verifier(const base::config& settings,
                                                           const session_surroundings& around) {
    const base::supabase_config& supabase = settings.supabase;
    if (supabase.url.empty()) {
        auto keys = shared_secret(around.own_secret.reveal());
        if (!keys) {
            return std::move(keys).error();
        }
        return auth::session_verifier({.cookie_name = std::string(auth::own_cookie_name),
                                       .rules = {.issuer = std::string(auth::own_issuer), .uuid_subject = false}},
                                      auth::make_fixed_keys(std::move(*keys)));
    }
    auto keys = supabase_keys(supabase, around);
    if (!keys) {
        return std::move(keys).error();
    }
    return auth::session_verifier(
        {.cookie_name = supabase.cookie_name.empty() ? auth::supabase_cookie_name(supabase.url) : supabase.cookie_name,
         .rules = {.issuer = supabase.url + "/auth/v1", .uuid_subject = true}},
        std::move(*keys));
}

base::result<std::string> make_login_link(const base::config& settings, storage::login_link_store& links,
                                          std::string_view owner, const base::endpoint_config& address,
                                          base::wall_time now) {
    const auth::login_code code = auth::make_login_code();
    const std::int64_t now_ms = base::unix_millis(now);
    constexpr auto lifetime = std::chrono::duration_cast<std::chrono::milliseconds>(auth::login_link_lifetime);
    if (auto ok = links.insert(code.hash, owner, now_ms, now_ms + lifetime.count()); !ok) {
        return ok.error();
    }
    std::string url = settings.session.public_url;
    if (url.empty()) {
        const bool any_address = address.host.empty() || address.host == "0.0.0.0" || address.host == "::";
        const bool bare_v6 = address.host.find(':') != std::string::npos && !address.host.starts_with('[');
        url = settings.server.tls_certificate.empty() ? "http://" : "https://";
        url += any_address ? "localhost" : bare_v6 ? "[" + address.host + "]" : address.host;
        url += ":" + std::to_string(address.port);
    }
    return url + "/login?code=" + code.code;
}

}  // namespace concurred::app
