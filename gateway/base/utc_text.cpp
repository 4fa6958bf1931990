#include "gateway/base/utc_text.hpp"

#include <fmt/format.h>

#include <charconv>
#include <chrono>

namespace concurred::base {

namespace {

using namespace std::chrono;

std::string date_text(const year_month_day& date) {
    return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                       static_cast<unsigned>(date.day()));
}

std::optional<unsigned> digits(std::string_view text) noexcept {
    unsigned value = 0;
    const char* const end = text.data() + text.size();
    const auto parsed = std::from_chars(text.data(), end, value);
    if (parsed.ec != std::errc() || parsed.ptr != end) {
        return std::nullopt;
    }
    return value;
}

}  // namespace

std::string utc_timestamp(wall_time t) {
    const auto day = floor<days>(t);
    const hh_mm_ss time(floor<milliseconds>(t - day));
    return fmt::format("{}T{:02}:{:02}:{:02}.{:03}Z", date_text(year_month_day(day)), time.hours().count(),
                       time.minutes().count(), time.seconds().count(), time.subseconds().count());
}

std::string utc_date(std::int32_t unix_day) {
    return date_text(year_month_day(sys_days(days(unix_day))));
}

std::optional<std::int32_t> parse_utc_date(std::string_view text) noexcept {
    if (text.size() != 10 || text[4] != '-' || text[7] != '-') {
        return std::nullopt;
    }
    const auto y = digits(text.substr(0, 4));
    const auto m = digits(text.substr(5, 2));
    const auto d = digits(text.substr(8, 2));
    if (!y || !m || !d) {
        return std::nullopt;
    }
    const year_month_day date(year(static_cast<int>(*y)), month(*m), day(*d));
    if (!date.ok()) {
        return std::nullopt;
    }
    return static_cast<std::int32_t>(sys_days(date).time_since_epoch().count());
}

}  // namespace concurred::base
