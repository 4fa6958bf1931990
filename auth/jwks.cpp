#include "auth/jwks.hpp"

#include "crypto/encoding.hpp"
#include "gateway/http/json_scan.hpp"
#include "gateway/http/json_string.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

namespace concurred::auth {

namespace {

using http::json_kind;
using namespace std::chrono_literals;

constexpr std::size_t most_keys = 32;
constexpr auto unknown_cooldown = 30s;
constexpr auto failure_cooldown = 5s;
constexpr auto missing_for = 60s;
constexpr auto kept_on_failure = 1h;
constexpr std::size_t most_missing = 256;

struct jwk {
    std::string kty, kid, alg, use, crv, x, y, n, e;
    bool verifies = true;
};

bool may_verify(std::string_view key_ops) {
    http::json_reader ops(key_ops);
    bool found = false;
    while (const http::json_member* one = ops.next()) {
        found = found || http::json_string_equals(one->value, "verify");
    }
    return found;
}

jwk read_key(std::string_view object) {
    jwk key;
    const std::pair<std::string_view, std::string jwk::*> texts[] = {
        {"kty", &jwk::kty}, {"kid", &jwk::kid}, {"alg", &jwk::alg}, {"use", &jwk::use}, {"crv", &jwk::crv},
        {"x", &jwk::x},     {"y", &jwk::y},     {"n", &jwk::n},     {"e", &jwk::e}};
    http::json_reader members(object);
    while (const http::json_member* m = members.next()) {
        for (const auto& [name, field] : texts) {
            if (m->key == name) {
                key.*field = http::json_unquote(m->value).value_or(std::string());
            }
        }
        if (m->key == "key_ops") {
            key.verifies = m->kind == json_kind::array && may_verify(m->value);
        }
    }
    return key;
}

// The key decides the algorithm; where it names one, it must be that one.
std::optional<crypto::jws_key> import(const jwk& key) {
    if (!key.verifies || (!key.use.empty() && key.use != "sig")) {
        return std::nullopt;
    }
    const auto take = [](base::result<crypto::jws_key> made) {
        return made ? std::optional(std::move(*made)) : std::nullopt;
    };
    if (key.kty == "EC" && key.crv == "P-256" && (key.alg.empty() || key.alg == "ES256")) {
        const auto x = crypto::base64url_decode(key.x);
        const auto y = crypto::base64url_decode(key.y);
        return x && y ? take(crypto::jws_key::es256(*x, *y)) : std::nullopt;
    }
    if (key.kty == "RSA" && (key.alg.empty() || key.alg == "RS256")) {
        const auto n = crypto::base64url_decode(key.n);
        const auto e = crypto::base64url_decode(key.e);
        return n && e ? take(crypto::jws_key::rs256(*n, *e)) : std::nullopt;
    }
    return std::nullopt;
}

}  // namespace

std::optional<std::vector<named_key>> parse_jwks(std::string_view text) {
    if (text.size() > max_jwks_size || !http::is_json_object(text)) {
        return std::nullopt;
    }
    std::optional<std::vector<named_key>> keys;
    http::json_reader members(text);
    while (const http::json_member* m = members.next()) {
        if (m->key != "keys" || m->kind != json_kind::array) {
            continue;
        }
        keys.emplace();
        http::json_reader elements(m->value);
        while (const http::json_member* one = elements.next()) {
            if (one->kind != json_kind::object || keys->size() == most_keys) {
                continue;
            }
            jwk raw = read_key(one->value);
            if (auto key = import(raw)) {
                keys->push_back({std::move(raw.kid), std::move(*key)});
            }
        }
    }
    return keys;
}

std::chrono::seconds jwks_lifetime(std::string_view cache_control) noexcept {
    constexpr std::string_view name = "max-age=";
    std::int64_t age = 600;
    if (const std::size_t at = cache_control.find(name); at != std::string_view::npos) {
        std::int64_t given = 0;
        const char* const begin = cache_control.data() + at + name.size();
        const auto [end, failure] = std::from_chars(begin, cache_control.data() + cache_control.size(), given);
        age = failure == std::errc{} && end != begin ? given : age;
    }
    return std::clamp<std::chrono::seconds>(std::chrono::seconds(age), 60s, 1h);
}

jwks_schedule::advice jwks_schedule::current(base::steady_time now) const noexcept {
    if (!fetched_at_ || now - *fetched_at_ >= lifetime_ + kept_on_failure) {
        return advice::nothing_to;
    }
    if (now - *fetched_at_ < lifetime_ || (failed_at_ && now - *failed_at_ < failure_cooldown)) {
        return advice::use;
    }
    return advice::refresh;
}

bool jwks_schedule::fetch_for(const std::string& key_id, base::steady_time now) {
    if (failed_at_) {
        return now - *failed_at_ >= failure_cooldown;
    }
    if (current(now) == advice::nothing_to) {
        return true;
    }
    if (const auto found = missing_.find(key_id); found != missing_.end() && now < found->second) {
        return false;
    }
    if (last_for_key_ && now - *last_for_key_ < unknown_cooldown) {
        return false;
    }
    last_for_key_ = now;
    return true;
}

void jwks_schedule::succeeded(std::chrono::seconds lifetime, base::steady_time now) noexcept {
    fetched_at_ = now;
    lifetime_ = lifetime;
    failed_at_.reset();
}

void jwks_schedule::missed(const std::string& key_id, base::steady_time now) {
    if (missing_.size() >= most_missing) {
        std::erase_if(missing_, [now](const auto& one) { return one.second <= now; });
    }
    if (missing_.size() < most_missing) {
        missing_[key_id] = now + missing_for;
    }
}

}  // namespace concurred::auth
