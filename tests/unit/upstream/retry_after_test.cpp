#include "upstream/retry_after.hpp"

#include <doctest/doctest.h>

#include <optional>

using namespace concurred;
using namespace std::chrono_literals;
using upstream::parse_retry_after;
using upstream::parse_retry_after_ms;

TEST_SUITE("upstream/retry_after") {
    // 1994-11-06 08:49:37 UTC, the date of RFC 9110's examples.
    const base::wall_time noon = base::wall_time(784111777s);

    TEST_CASE("seconds and dates become a wait of at most an hour") {
        struct row {
            std::string_view value;
            std::optional<std::chrono::milliseconds> wait;
        };
        const row rows[] = {
            {"0", 0ms},
            {"7", 7s},
            {" 35 ", 35s},
            {"1.5", 1500ms},
            {"3600", 3600s},
            {"3601", 3600s},
            {"99999999999999999999999999", 3600s},
            {"-5", 0ms},
            {"Sun, 06 Nov 1994 08:49:37 GMT", 0ms},
            {"Sun, 06 Nov 1994 08:50:07 GMT", 30s},
            {"Sunday, 06-Nov-94 08:50:07 GMT", 30s},
            {"Sun Nov  6 08:50:07 1994", 30s},
            {"Sat, 05 Nov 1994 08:49:37 GMT", 0ms},
            {"Fri, 31 Dec 1999 23:59:59 GMT", 3600s},
            {"Fri, 31 Dec 9999 23:59:59 GMT", 3600s},
            {"", std::nullopt},
            {"soon", std::nullopt},
            {"1e3", std::nullopt},
            {"0x10", std::nullopt},
            {"inf", std::nullopt},
            {"1 2", std::nullopt},
            {"-", std::nullopt},
            {"Sun, 31 Feb 1994 08:50:07 GMT", std::nullopt},
            {"Sun, 06 Nov 1994 25:50:07 GMT", std::nullopt},
            {"Sun, 06 Nov 1994 08:50:07 PST", std::nullopt},
            {"Sun, 06 Nov 1994", std::nullopt},
            {"Sun", std::nullopt},
        };
        for (const row& r : rows) {
            INFO(r.value);
            CHECK(parse_retry_after(r.value, noon) == r.wait);
        }
    }

    TEST_CASE("two-digit years are of this century, or the last one") {
        const base::wall_time now = base::wall_time(1'790'000'000s);  // September 2026
        CHECK(parse_retry_after("Monday, 21-Sep-26 14:13:30 GMT", now) == 10s);
        CHECK(parse_retry_after("Sunday, 06-Nov-94 08:50:07 GMT", now) == 0ms);
    }

    TEST_CASE("milliseconds are read alike") {
        CHECK(parse_retry_after_ms("1500") == 1500ms);
        CHECK(parse_retry_after_ms("1500.7") == 1500ms);
        CHECK(parse_retry_after_ms("99999999") == 3600s);
        CHECK_FALSE(parse_retry_after_ms("").has_value());
        CHECK_FALSE(parse_retry_after_ms("Sun, 06 Nov 1994 08:49:37 GMT").has_value());
    }
}
