#pragma once

#include "gateway/base/clock.hpp"

#include <chrono>
#include <optional>
#include <string_view>

namespace concurred::upstream {

/// Longest wait that is taken from a provider; a longer one is cut to it.
inline constexpr std::chrono::milliseconds max_retry_after{3'600'000};

/// Reads a `Retry-After` field: seconds, with a fraction or without, or an HTTP date in any of its three forms (RFC
/// 9110, 10.2.3 and 5.6.7). What is negative or past gives 0. \return nothing when it is neither
[[nodiscard]] std::optional<std::chrono::milliseconds> parse_retry_after(std::string_view value, base::wall_time now);

/// Reads a `retry-after-ms` field, as OpenAI sends it: milliseconds, with a fraction or without.
[[nodiscard]] std::optional<std::chrono::milliseconds> parse_retry_after_ms(std::string_view value);

}  // namespace concurred::upstream
