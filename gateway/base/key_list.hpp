#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace concurred::base {

/// A key and how often it is used compared to the others.
struct weighted_key {
    std::string key;
    unsigned weight = 1;
};

inline constexpr unsigned max_key_weight = 1'000;
inline constexpr std::size_t max_keys_of_a_provider = 64;

/// Reads keys with white space between them, each with a weight behind it or none: "sk-a*3 sk-b". What stands behind a
/// key's last '*' is its weight only when it is a number.
/// @return nothing when a key holds what no key can, a weight is not 1 to `max_key_weight`, a key is there twice, or
///         there are more than `max_keys_of_a_provider`
[[nodiscard]] std::optional<std::vector<weighted_key>> parse_key_list(std::string_view text);

}  // namespace concurred::base
