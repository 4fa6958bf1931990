#include "gateway/app/key_values.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace concurred;
using namespace std::chrono_literals;

namespace {

constexpr std::int64_t now_ms = 1'795'478'400'000;  // 2026-11-24T00:00:00Z
constexpr std::int64_t day_ms = 86'400'000;

const base::wall_time now{std::chrono::milliseconds(now_ms)};

}  // namespace

TEST_SUITE("app/key_values") {
    TEST_CASE("an expiry is a time from now on or the start of a UTC day") {
        const struct {
            std::string text;
            std::int64_t expected_ms;
        } rows[] = {
            {"30d", now_ms + 30 * day_ms},        {"12h", now_ms + day_ms / 2},
            {"90m", now_ms + 5'400'000},          {"1m", now_ms + 60'000},
            {"2026-11-25", now_ms + day_ms},      {"2027-01-01", 1'798'761'600'000},
            {"36525d", now_ms + 36'525 * day_ms},
        };
        for (const auto& row : rows) {
            CAPTURE(row.text);
            const auto at = app::parse_expiry(row.text, now);
            REQUIRE(at.has_value());
            CHECK(*at == row.expected_ms);
        }
    }

    TEST_CASE("what is no expiry, over already or too far away is refused") {
        for (const std::string text : {"",
                                       "d",
                                       "30",
                                       "30s",
                                       "-1d",
                                       "1.5d",
                                       "+1d",
                                       " 30d",
                                       "30d ",
                                       "30D",
                                       "0d",
                                       "0m",
                                       "2026-11-24",
                                       "2026-11-23",
                                       "2027-02-29",
                                       "2027-1-1",
                                       "2027-01-01T00:00:00Z",
                                       "36526d",
                                       "4294967296d",
                                       "9999-12-31"}) {
            CAPTURE(text);
            CHECK_FALSE(app::parse_expiry(text, now).has_value());
        }
    }

    TEST_CASE("a rate limit is a whole number in its range") {
        CHECK(*app::parse_rate_limit("1", 100) == 1);
        CHECK(*app::parse_rate_limit("100", 100) == 100);
        for (const std::string text : {"", "0", "101", "-1", "+1", "1.0", "0x1", "1e2", " 1", "1 ", "4294967297"}) {
            CAPTURE(text);
            CHECK_FALSE(app::parse_rate_limit(text, 100).has_value());
        }
    }

    TEST_CASE("a key's name is 1 to 255 bytes of text that cannot drive a terminal") {
        for (const std::string& text : {std::string("a"), std::string(255, 'a'), std::string("Gr\u00fcn \u2713")}) {
            CHECK(*app::parse_key_name(text) == text);
        }
        for (const std::string& text :
             {std::string(), std::string(256, 'a'), std::string("a\0b", 3), std::string("a\x1b[31m"),
              std::string("a\x7f"), std::string("a\xff"), std::string("a\u202eb")}) {
            CHECK_FALSE(app::parse_key_name(text).has_value());
        }
    }

    TEST_CASE("an owner is 1 to 128 visible ASCII characters") {
        CHECK(*app::parse_owner(std::string(128, 'a')) == std::string(128, 'a'));
        CHECK(app::parse_owner("user@example.com").has_value());
        for (const std::string& text :
             {std::string(), std::string(129, 'a'), std::string("a b"), std::string("\u00fc"), std::string("a\n")}) {
            CHECK_FALSE(app::parse_owner(text).has_value());
        }
    }
}
