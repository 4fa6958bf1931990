#pragma once

#include "gateway/base/clock.hpp"

#include <array>
#include <charconv>
#include <chrono>
#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

namespace concurred::base {

/// Longest text that is written as one value, in bytes. Longer ones are cut and end in U+2026.
inline constexpr std::size_t max_log_value = 1024;

/// Whether a log line must not show the character as it is: controls, and what changes the direction or the shape of
/// the text around it without being seen (bidirectional controls, zero width, tags).
[[nodiscard]] bool is_unsafe_in_log(char32_t character) noexcept;

/// Appends `text` as a JSON string with its quotes, such that it can neither end the line nor drive a terminal.
/// Bytes that are not valid UTF-8 become U+FFFD. Plain ASCII is copied at once.
/// \param limit  longest part of `text` that is used, in bytes
void append_log_string(std::string& out, std::string_view text, std::size_t limit = max_log_value);

/// The same for lines that people read: quotes only where the value would otherwise not be one word.
void append_log_word(std::string& out, std::string_view text, std::size_t limit = max_log_value);

/// Appends an integer in decimal.
template <std::integral Integer>
void append_integer(std::string& out, Integer value) {
    std::array<char, 24> digits;
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
    out.append(digits.data(), static_cast<std::size_t>(end - digits.data()));
}

/// Appends the shortest text that reads back as `value`; `null` for what JSON cannot say.
void append_double(std::string& out, double value);

/// Appends `value` in milliseconds with three decimals, e.g. `812.305`.
void append_millis(std::string& out, std::chrono::microseconds value);

/// Appends `value` / 10^9 exactly, without trailing zeros, e.g. `0.000012345`: nano-USD as USD, nanoseconds as seconds.
void append_nanos(std::string& out, std::int64_t value);

/// Writes times in UTC. The text of the second is kept, since many lines share it.
class log_timestamp {
public:
    /// Appends e.g. `2026-11-23T10:00:00.123Z` (RFC 3339).
    void append(std::string& out, wall_time at);
    /// Appends e.g. `10:00:00.123`.
    void append_time_of_day(std::string& out, wall_time at);

private:
    /// Brings `text_` up to date and returns where it has the time of day.
    std::string_view renew(wall_time at);

    std::int64_t second_ = INT64_MIN;
    std::array<char, 23> text_{};  ///< without the Z
};

}  // namespace concurred::base
