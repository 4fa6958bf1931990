#include "upstream/latency_record.hpp"

#include <doctest/doctest.h>

using namespace concurred;
using namespace std::chrono_literals;
using upstream::latency_record;

TEST_SUITE("upstream/latency_record") {
    const base::steady_time start{1h};

    TEST_CASE("without values it knows nothing, and of old values no mean") {
        latency_record r;
        CHECK(!r.mean(start));
        CHECK(!r.p95());
        r.add(300ms, start);
        CHECK(r.mean(start) == 300ms);
        CHECK(r.mean(start + 60s) == 300ms);
        CHECK(!r.mean(start + 61s));
        r.add(100ms, start + 61s);
        CHECK(r.mean(start + 61s) == 100ms);
    }

    TEST_CASE("the mean follows what comes") {
        latency_record r;
        r.add(400ms, start);
        r.add(800ms, start);
        CHECK(r.mean(start) == 500ms);
        for (int i = 0; i < 40; ++i) {
            r.add(100ms, start);
        }
        CHECK(*r.mean(start) < 110ms);
    }

    TEST_CASE("the percentile is at least the value and at most 42 % above it") {
        for (const auto value : {10ms, 15ms, 99ms, 640ms, 5000ms, 120000ms}) {
            latency_record r;
            for (unsigned i = 0; i < latency_record::enough; ++i) {
                CHECK(!r.p95());
                r.add(value, start);
            }
            REQUIRE(r.p95());
            CHECK(*r.p95() >= value);
            CHECK(r.p95()->count() * 100 <= value.count() * 142);
        }
    }

    TEST_CASE("one slow answer in thirty does not move the percentile; one in ten does") {
        latency_record few;
        latency_record many;
        for (int i = 0; i < 300; ++i) {
            few.add(i % 30 == 0 ? 10s : 100ms, start);
            many.add(i % 10 == 0 ? 10s : 100ms, start);
        }
        CHECK(*few.p95() < 200ms);
        CHECK(*many.p95() >= 10s);
    }

    TEST_CASE("what was long ago fades") {
        latency_record r;
        for (int i = 0; i < 500; ++i) {
            r.add(20s, start);
        }
        for (int i = 0; i < 3000; ++i) {
            r.add(100ms, start);
        }
        CHECK(*r.p95() < 200ms);
    }

    TEST_CASE("values beyond all buckets count into the last, negative ones as zero") {
        latency_record r;
        for (int i = 0; i < 20; ++i) {
            r.add(24h, start);
        }
        CHECK(*r.p95() > 5min);
        latency_record zero;
        zero.add(-5ms, start);
        CHECK(zero.mean(start) == 0ms);
    }
}
