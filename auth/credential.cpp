#include "auth/credential.hpp"

#include <algorithm>
#include <string>

namespace concurred::auth {

namespace {

constexpr std::array<bool, 256> base58_octets = [] {
    std::array<bool, 256> table{};
    for (const char c : std::string_view("123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz")) {
        table[static_cast<unsigned char>(c)] = true;
    }
    return table;
}();

bool all_base58(std::string_view text) noexcept {
    return std::ranges::all_of(text, [](char c) { return base58_octets[static_cast<unsigned char>(c)]; });
}

/// What follows `Bearer` and exactly one space; empty for anything else.
std::string_view bearer_token(std::string_view value) noexcept {
    constexpr std::string_view scheme = "bearer ";
    const bool matches =
        value.size() > scheme.size() && std::ranges::equal(scheme, value.substr(0, scheme.size()), [](char s, char v) {
            return s == (v >= 'A' && v <= 'Z' ? static_cast<char>(v - 'A' + 'a') : v);
        });
    return matches ? value.substr(scheme.size()) : std::string_view();
}

base::error conflicting() {
    return base::client_error(base::errc::bad_request, "The request carries different credentials. Send one API key.");
}

}  // namespace

bool is_key_shaped(std::string_view key, const credential_rules& rules) noexcept {
    return key.size() <= rules.max_length && std::ranges::any_of(rules.prefixes, [&](std::string_view prefix) {
               return key.starts_with(prefix) && key.size() - prefix.size() >= rules.min_secret &&
                      all_base58(key.substr(prefix.size()));
           });
}

base::result<std::string_view> extract_credential(std::span<const std::string_view> authorization,
                                                  std::span<const std::string_view> api_key,
                                                  const credential_rules& rules) {
    if (authorization.size() > 1) {
        return base::client_error(base::errc::bad_request,
                                  "The request carries several Authorization headers. Send one.");
    }
    std::string_view plain;
    for (const std::string_view value : api_key) {
        if (!plain.empty() && !value.empty() && value != plain) {
            return conflicting();
        }
        plain = value.empty() ? plain : value;
    }
    const std::string_view header = authorization.empty() ? std::string_view() : authorization.front();
    if (header.empty() && plain.empty()) {
        return base::client_error(base::errc::unauthorized, {});
    }
    std::string_view key = plain;
    if (!header.empty()) {
        key = bearer_token(header);
        // Another scheme (Basic of a proxy, say) beside an API key is a second identity as well.
        if (!plain.empty() && key != plain) {
            return conflicting();
        }
    }
    if (!is_key_shaped(key, rules)) {
        return base::client_error(base::errc::invalid_api_key, {});
    }
    return key;
}

}  // namespace concurred::auth
