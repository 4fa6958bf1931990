#include "upstream/retry_after.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>

namespace concurred::upstream {

namespace {

using std::chrono::milliseconds;

std::string_view trimmed(std::string_view text) noexcept {
    const std::size_t first = text.find_first_not_of(" \t");
    if (first == std::string_view::npos) {
        return {};
    }
    return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

milliseconds bounded(milliseconds wait) noexcept {
    return std::clamp(wait, milliseconds{0}, max_retry_after);
}

/// A decimal number times `unit`, or nothing.
std::optional<milliseconds> scaled(std::string_view text, double unit) noexcept {
    double value = 0;
    const char* const end = text.data() + text.size();
    const auto [behind, failure] = std::from_chars(text.data(), end, value, std::chars_format::fixed);
    const bool digits = !text.empty() && text.find_first_not_of("-.0123456789") == std::string_view::npos;
    if (!digits || behind != end || (failure != std::errc{} && failure != std::errc::result_out_of_range)) {
        return std::nullopt;
    }
    if (text.front() == '-') {
        return milliseconds{0};
    }
    const auto most = static_cast<double>(max_retry_after.count());
    const bool huge = failure == std::errc::result_out_of_range || value * unit > most;
    return milliseconds{static_cast<std::int64_t>(huge ? most : value * unit)};
}

/// Takes a number of exactly `digits` digits off the front; -1 when there is none. A leading space counts as a zero
/// when `padded`, as asctime() writes days.
int take_number(std::string_view& text, std::size_t digits, bool padded = false) noexcept {
    int value = 0;
    if (text.size() < digits) {
        return -1;
    }
    for (std::size_t i = 0; i < digits; ++i) {
        const char c = padded && i == 0 && text[0] == ' ' ? '0' : text[i];
        if (c < '0' || c > '9') {
            return -1;
        }
        value = value * 10 + (c - '0');
    }
    text.remove_prefix(digits);
    return value;
}

bool take(std::string_view& text, std::string_view expected) noexcept {
    if (!text.starts_with(expected)) {
        return false;
    }
    text.remove_prefix(expected.size());
    return true;
}

int take_month(std::string_view& text) noexcept {
    constexpr std::array<std::string_view, 12> names{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    for (std::size_t i = 0; i < names.size(); ++i) {
        if (take(text, names[i])) {
            return static_cast<int>(i) + 1;
        }
    }
    return -1;
}

struct date {
    int year = -1;
    int month = -1;
    int day = -1;
    int hour = -1;
    int minute = -1;
    int second = -1;
};

bool take_clock(std::string_view& text, date& d) noexcept {
    d.hour = take_number(text, 2);
    const bool first = take(text, ":");
    d.minute = take_number(text, 2);
    const bool second = take(text, ":");
    d.second = take_number(text, 2);
    return first && second;
}

/// "Sun, 06 Nov 1994 08:49:37 GMT" or "Sunday, 06-Nov-94 08:49:37 GMT", from behind the comma.
bool read_date(std::string_view text, int this_year, date& d) noexcept {
    const bool spaced = take(text, " ");
    d.day = take_number(text, 2);
    const bool old = take(text, "-");
    const bool separated = old || take(text, " ");
    d.month = take_month(text);
    if (!spaced || !separated || !take(text, old ? "-" : " ")) {
        return false;
    }
    d.year = take_number(text, old ? 2 : 4);
    if (old && d.year >= 0) {
        d.year += this_year - this_year % 100;
        // Two digits mean the most recent year with them when they would be over 50 years ahead (RFC 9110, 5.6.7).
        d.year -= d.year > this_year + 50 ? 100 : 0;
    }
    return take(text, " ") && take_clock(text, d) && text == " GMT";
}

/// "Sun Nov  6 08:49:37 1994".
bool read_asctime(std::string_view text, date& d) noexcept {
    text.remove_prefix(std::min<std::size_t>(text.size(), 3));
    const bool spaced = take(text, " ");
    d.month = take_month(text);
    if (!spaced || !take(text, " ")) {
        return false;
    }
    d.day = take_number(text, 2, true);
    if (!take(text, " ") || !take_clock(text, d) || !take(text, " ")) {
        return false;
    }
    d.year = take_number(text, 4);
    return text.empty();
}

std::optional<base::wall_time> parse_http_date(std::string_view text, base::wall_time now) noexcept {
    namespace chrono = std::chrono;
    const auto today = chrono::year_month_day(chrono::floor<chrono::days>(now));
    date d;
    const std::size_t comma = text.find(',');
    const bool read = comma != std::string_view::npos
                          ? read_date(text.substr(comma + 1), static_cast<int>(today.year()), d)
                          : read_asctime(text, d);
    if (!read || d.year < 0 || d.month < 0 || d.day < 0 || d.hour < 0 || d.hour > 23 || d.minute < 0 || d.minute > 59 ||
        d.second < 0 || d.second > 60) {
        return std::nullopt;
    }
    const chrono::year_month_day day{chrono::year(d.year), chrono::month(static_cast<unsigned>(d.month)),
                                     chrono::day(static_cast<unsigned>(d.day))};
    if (!day.ok() || d.year < 1970 || d.year > 2200) {  // a wall_time counts nanoseconds in 64 bits
        return d.year > 2200 ? std::optional(base::wall_time::max()) : std::nullopt;
    }
    return chrono::sys_days(day) + chrono::hours(d.hour) + chrono::minutes(d.minute) + chrono::seconds(d.second);
}

}  // namespace

std::optional<milliseconds> parse_retry_after(std::string_view value, base::wall_time now) {
    value = trimmed(value);
    if (const auto seconds = scaled(value, 1000.0)) {
        return seconds;
    }
    const auto when = parse_http_date(value, now);
    if (!when) {
        return std::nullopt;
    }
    return *when <= now ? milliseconds{0} : bounded(std::chrono::ceil<milliseconds>(*when - now));
}

std::optional<milliseconds> parse_retry_after_ms(std::string_view value) {
    return scaled(trimmed(value), 1.0);
}

}  // namespace concurred::upstream
