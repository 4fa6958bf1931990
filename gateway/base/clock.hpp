#pragma once

#include <chrono>
#include <cstdint>

namespace concurred::base {

/// Monotonic time: deadlines, buckets, ages. Never goes back, says nothing about the date.
using steady_time = std::chrono::steady_clock::time_point;
/// Wall-clock time: dates, expiry of keys, `Date` headers.
using wall_time = std::chrono::system_clock::time_point;

/// Microseconds since an arbitrary fixed point; the unit of the rate limiter.
[[nodiscard]] inline std::int64_t micros(steady_time t) noexcept {
    return std::chrono::duration_cast<std::chrono::microseconds>(t.time_since_epoch()).count();
}

/// Milliseconds since 1970-01-01 UTC; the unit of times in the stores.
[[nodiscard]] inline std::int64_t unix_millis(wall_time t) noexcept {
    return std::chrono::duration_cast<std::chrono::milliseconds>(t.time_since_epoch()).count();
}

/// Days since 1970-01-01 UTC.
[[nodiscard]] inline std::int32_t unix_day(wall_time t) noexcept {
    return static_cast<std::int32_t>(std::chrono::floor<std::chrono::days>(t).time_since_epoch().count());
}

}  // namespace concurred::base
