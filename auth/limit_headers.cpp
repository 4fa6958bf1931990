#include "auth/limit_headers.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace concurred::auth {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// Writes pieces of text one behind the other, unchecked: these lines are on every answer, and this halves their cost.
class line_writer {
public:
    template <std::size_t Size>
    line_writer& put(const char (&literal)[Size]) noexcept {
        std::memcpy(end_, literal, Size - 1);
        end_ += Size - 1;
        return *this;
    }
    line_writer& put(std::int64_t value) noexcept {
        end_ = std::to_chars(end_, bytes_.data() + bytes_.size(), value).ptr;
        return *this;
    }
    line_writer& put_duration(milliseconds d) noexcept;

    [[nodiscard]] std::string_view view() const noexcept {
        return {bytes_.data(), static_cast<std::size_t>(end_ - bytes_.data())};
    }

private:
    // All names with ": " and CR LF are 194 bytes; the values at most 4 * 10 digits, 3 * 20, and 30 for the duration.
    std::array<char, 384> bytes_;
    char* end_ = bytes_.data();
};

/// As Go's time.Duration prints itself, in whole milliseconds: what OpenAI sends, and its clients parse.
line_writer& line_writer::put_duration(milliseconds d) noexcept {
    const std::int64_t ms = d.count();
    if (ms > 0 && ms < 1'000) {
        return put(ms).put("ms");
    }
    if (ms >= 3'600'000) {
        put(ms / 3'600'000).put("h");
    }
    if (ms >= 60'000) {
        put(ms / 60'000 % 60).put("m");
    }
    put(ms / 1'000 % 60);
    if (std::int64_t rest = ms % 1'000; rest != 0) {
        *end_++ = '.';
        for (std::int64_t unit = 100; rest != 0; unit /= 10) {
            *end_++ = static_cast<char>('0' + rest / unit);
            rest %= unit;
        }
    }
    return put("s");
}

std::int64_t whole_seconds(microseconds wait) noexcept {
    return std::max<std::int64_t>(std::chrono::ceil<seconds>(wait).count(), 1);
}

std::int64_t whole_millis(microseconds wait) noexcept {
    return std::max<std::int64_t>(std::chrono::ceil<milliseconds>(wait).count(), 1);
}

bool waiting_helps(const limit_decision& decision) noexcept {
    return !decision.allowed && decision.retry_after != limit_decision::never;
}

}  // namespace

limit_header_text limit_headers(const limit_decision& decision, base::wall_time now) noexcept {
    const auto full_at = std::chrono::ceil<seconds>(std::chrono::ceil<microseconds>(now) + decision.until_full);
    line_writer lines;
    lines.put("X-RateLimit-Limit: ").put(decision.limit);
    lines.put("\r\nX-RateLimit-Remaining: ").put(decision.remaining);
    lines.put("\r\nX-RateLimit-Reset: ").put(full_at.time_since_epoch().count());
    lines.put("\r\nx-ratelimit-limit-requests: ").put(decision.limit);
    lines.put("\r\nx-ratelimit-remaining-requests: ").put(decision.remaining);
    lines.put("\r\nx-ratelimit-reset-requests: ").put_duration(std::chrono::ceil<milliseconds>(decision.until_full));
    if (waiting_helps(decision)) {
        lines.put("\r\nRetry-After: ").put(whole_seconds(decision.retry_after));
        lines.put("\r\nretry-after-ms: ").put(whole_millis(decision.retry_after));
    }
    lines.put("\r\n");
    return limit_header_text().append(lines.view());
}

base::error limit_error(const limit_decision& decision) {
    if (!waiting_helps(decision)) {
        return base::client_error(base::errc::bad_request, "The request counts for more than the limit as a whole.");
    }
    const std::int64_t wait_s = whole_seconds(decision.retry_after);
    const std::int64_t wait_ms = whole_millis(decision.retry_after);
    line_writer message;
    message.put("Too many requests: the limit is ").put(decision.limit).put(". Try again in ").put(wait_s).put(" s.");
    base::error error = base::client_error(base::errc::rate_limit_exceeded, std::string(message.view()));
    line_writer details;
    details.put("{\"retryAfter\":").put(wait_s).put(",\"retryAfterMs\":").put(wait_ms);
    details.put(",\"limit\":").put(decision.limit).put(",\"remaining\":").put(decision.remaining).put("}");
    error.details = details.view();
    error.retry_after = milliseconds{wait_ms};
    return error;
}

}  // namespace concurred::auth
