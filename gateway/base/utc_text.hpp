#pragma once

#include "gateway/base/clock.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace concurred::base {

/// RFC 3339 in UTC with milliseconds, e.g. "2026-11-23T10:00:00.123Z".
[[nodiscard]] std::string utc_timestamp(wall_time t);

/// "2026-11-23" for a day counted from 1970-01-01.
[[nodiscard]] std::string utc_date(std::int32_t unix_day);

/// The day that "YYYY-MM-DD" names; nullopt for anything else and for days that do not exist.
[[nodiscard]] std::optional<std::int32_t> parse_utc_date(std::string_view text) noexcept;

}  // namespace concurred::base
