#include "gateway/base/utc_text.hpp"
#include "gateway/pipeline/usage.hpp"

#include <doctest/doctest.h>

using namespace concurred;

namespace {

const std::int32_t today = *base::parse_utc_date("2026-11-23");

}  // namespace

TEST_SUITE("pipeline/usage") {
    TEST_CASE("the default is the last 30 days, both ends included") {
        const auto q = pipeline::parse_usage_query("", today);
        REQUIRE(q.has_value());
        CHECK(q->to_day == today);
        CHECK(q->from_day == *base::parse_utc_date("2026-10-25"));
    }

    TEST_CASE("parameters are read") {
        const auto q =
            pipeline::parse_usage_query("from=2026-03-01&to=2026-03-21&interval=day&groupBy=key&keyId=key_a1", today);
        REQUIRE(q.has_value());
        CHECK(q->from_day == *base::parse_utc_date("2026-03-01"));
        CHECK(q->to_day == *base::parse_utc_date("2026-03-21"));
        CHECK(q->interval == storage::usage_interval::day);
        CHECK(q->group == storage::usage_group::key);
        CHECK(q->key_id == "key_a1");
    }

    TEST_CASE("odd parameters are refused by name") {
        for (const char* query :
             {"from=2026-02-30", "from=yesterday", "to=2026-3-1", "from=2026-03-02&to=2026-03-01", "interval=hour",
              "groupBy=owner", "keyId=", "keyId=a'b", "limit=5", "from=2020-01-01&to=2026-01-01",
              "from=2026-01-01&from=2026-01-01", "to=2026-01-01&from=2026-01-01&to=2026-01-02"}) {
            CAPTURE(query);
            const auto q = pipeline::parse_usage_query(query, today);
            REQUIRE_FALSE(q.has_value());
            CHECK(q.error().code == base::errc::bad_request);
        }
        CHECK(pipeline::parse_usage_query("from=2025-01-01&to=2026-01-01", today).has_value());  // 366 days
    }
}

TEST_SUITE("base/utc_text") {
    TEST_CASE("days and timestamps are UTC") {
        CHECK(base::parse_utc_date("1970-01-02") == 1);
        CHECK(base::parse_utc_date("2024-02-29").has_value());
        CHECK_FALSE(base::parse_utc_date("2023-02-29").has_value());
        CHECK(base::utc_timestamp(base::wall_time(std::chrono::milliseconds(784'111'777'005))) ==
              "1994-11-06T08:49:37.005Z");
    }
}
