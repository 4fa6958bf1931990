#pragma once

#include "gateway/base/config.hpp"

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace concurred::base {

/// What a string value must look like, beyond being a string.
enum class text_form {
    plain,
    required,      ///< not empty
    file,          ///< empty, or a file that can be read
    url,           ///< http(s)://host[:port][/path]; kept without a trailing slash
    optional_url,  ///< the same, or empty
    origins,       ///< origins, http(s)://host[:port], separated by spaces; may be empty
    cookie_name,   ///< empty, or a name that a cookie may have
    api_key,       ///< secret; what an HTTP field value may hold, without spaces
    api_keys,      ///< secret; api_keys with spaces between, each with a weight "*1" ... "*1000" or none
    master_key,    ///< secret; empty, or base64 of 32 bytes
};

/// What a key accepts. One object per key of the table in config_keys.cpp.
struct value_rule {
    std::uint64_t low = 0;  ///< least number; milliseconds for durations, bytes for sizes
    std::uint64_t high = std::numeric_limits<std::uint64_t>::max();
    text_form form = text_form::plain;
    std::string_view choices{};  ///< for strings: "a|b|c"; empty: any
};

/// Whether the value must never be shown.
[[nodiscard]] constexpr bool is_secret(const value_rule& rule) noexcept {
    return rule.form == text_form::api_key || rule.form == text_form::api_keys || rule.form == text_form::master_key;
}

/// Where a value is kept; its type says how it is written: `milliseconds` are durations, `std::size_t` are sizes.
using config_slot = std::variant<std::string*, bool*, unsigned*, std::size_t*, milliseconds*, endpoint_config*,
                                 std::optional<std::string>*, std::optional<std::uint32_t>*, std::optional<double>*>;

/// A value known only as text (environment, flag, or a string made from references): it may mean any type.
struct untyped_text {
    std::string text;
};

/// A value of a type that no key has.
struct foreign_type {
    std::string_view name;  ///< "an array"
};

/// A value as its source gives it.
using config_scalar = std::variant<untyped_text, std::string, std::int64_t, double, bool, foreign_type>;

/// Stores `value` where `slot` points, if `rule` allows it.
/// Returns nothing, or what is wrong and what is allowed; the slot is unchanged then. The text never repeats a string
/// value: a secret may have been written to the wrong key.
[[nodiscard]] std::optional<std::string> assign(const value_rule& rule, const config_slot& slot,
                                                const config_scalar& value);

/// The value as a literal that is valid in TOML and in JSON, secrets masked; nothing when an optional is not set.
[[nodiscard]] std::optional<std::string> literal(const value_rule& rule, const config_slot& slot);

/// `***`, followed by the last four characters when the secret has at least 12; empty for an empty secret.
[[nodiscard]] std::string masked(std::string_view secret);

/// "127.0.0.1:8080", "[::1]:8080", ":8080".
[[nodiscard]] std::string to_text(const endpoint_config& endpoint);

/// Whether only this machine can connect to `host`.
[[nodiscard]] bool is_loopback(std::string_view host) noexcept;

}  // namespace concurred::base
