#include "storage/flush_schedule.hpp"

#include <doctest/doctest.h>

using namespace concurred;
using namespace concurred::storage;
using namespace std::chrono_literals;

namespace {

const base::steady_time start{std::chrono::hours(1)};

}  // namespace

TEST_SUITE("storage/flush_schedule") {
    TEST_CASE("nothing is written while nothing waits") {
        flush_schedule schedule({});
        CHECK(!schedule.due(start, 0));
        CHECK(!schedule.due(start + 1h, 0));
    }

    TEST_CASE("a few records wait for the interval, counted from when they were first seen") {
        flush_schedule schedule({.interval = 1s});
        CHECK(!schedule.due(start, 0));
        CHECK(!schedule.due(start + 5s, 1));
        CHECK(!schedule.due(start + 5'999ms, 3));
        CHECK(schedule.due(start + 6s, 3));
        schedule.succeeded();
        CHECK(!schedule.due(start + 7s, 1));
        CHECK(schedule.due(start + 8s, 1));
    }

    TEST_CASE("many records are written at once") {
        flush_schedule schedule({.interval = 1s, .wake_at = 500});
        CHECK(!schedule.due(start, 499));
        CHECK(schedule.due(start, 500));
    }

    TEST_CASE("after failures the pause doubles up to its limit, whatever waits") {
        flush_schedule schedule({.first_retry = 100ms, .longest_retry = 1s});
        auto now = start;
        CHECK(schedule.due(now, 500));
        for (const auto pause : {100ms, 200ms, 400ms, 800ms, 1'000ms, 1'000ms}) {
            schedule.failed(now);
            CHECK(!schedule.due(now + pause - 1ms, 10'000));
            now += pause;
            CHECK(schedule.due(now, 1));
        }
        CHECK(schedule.failures() == 6);
        schedule.succeeded();
        CHECK(schedule.failures() == 0);
        CHECK(!schedule.due(now, 1));
        CHECK(schedule.due(now, 500));
        schedule.failed(now);
        CHECK(schedule.due(now + 100ms, 1));  // from the first pause again
    }

    TEST_CASE("a store that fails for days does not overflow the pause") {
        flush_schedule schedule({.first_retry = 100ms, .longest_retry = 5s});
        for (int i = 0; i < 100'000; ++i) {
            schedule.failed(start);
        }
        CHECK(!schedule.due(start + 4'999ms, 1));
        CHECK(schedule.due(start + 5s, 1));
    }
}
