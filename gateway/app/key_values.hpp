#pragma once

#include "gateway/base/clock.hpp"
#include "gateway/base/error.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace concurred::app {

// What people write about a key, read and checked. Errors say what is wrong and what is allowed.

inline constexpr std::size_t max_key_name = 255;  ///< bytes

/// A key's name: 1 to 255 bytes of UTF-8 without control characters.
[[nodiscard]] base::result<std::string> parse_key_name(std::string_view text);

/// An owner's id: 1 to base::max_id_length visible ASCII characters. Longer ones could not be booked.
[[nodiscard]] base::result<std::string> parse_owner(std::string_view text);

/// Requests per 60 seconds, 1 to `most`.
[[nodiscard]] base::result<std::uint32_t> parse_rate_limit(std::string_view text, std::uint32_t most);

/// Tokens per 60 seconds, 1 to 1,000,000,000; "none" takes the limit away.
/// @return 0 for "none"
[[nodiscard]] base::result<std::uint64_t> parse_token_limit(std::string_view text);

/// Requests under way at a time, 1 to 100,000; "none" takes the limit away.
/// @return 0 for "none"
[[nodiscard]] base::result<std::uint32_t> parse_concurrency(std::string_view text);

/// Money in USD, as 25 or 0.5, up to a million, with at most 8 decimals; "none" takes the budget away.
/// @return nano-USD; 0 for "none"
[[nodiscard]] base::result<std::int64_t> parse_budget(std::string_view text);

/// When a key stops to work: `30d`, `12h` or `90m` from `now` on, or the date on which it no longer works, from 00:00
/// UTC.
/// @return Unix milliseconds, later than `now`, at most 100 years
[[nodiscard]] base::result<std::int64_t> parse_expiry(std::string_view text, base::wall_time now);

/// How long a key that is replaced works on: `30d`, `12h`, `90m` or `0`, at most 30 days.
[[nodiscard]] base::result<std::chrono::milliseconds> parse_grace(std::string_view text);

}  // namespace concurred::app
