#include "auth/service_breaker.hpp"

#include <doctest/doctest.h>

using namespace concurred;
using namespace std::chrono_literals;
using auth::service_breaker;
using verdict = service_breaker::verdict;

namespace {

const base::steady_time start{1'000s};

service_breaker opened_at(base::steady_time t) {
    service_breaker breaker;
    for (int i = 0; i < 20; ++i) {
        REQUIRE(breaker.ask(t) == verdict::call);
        breaker.failed(t);
    }
    return breaker;
}

}  // namespace

TEST_SUITE("auth/service_breaker") {
    TEST_CASE("it opens at the twentieth failure and not before") {
        service_breaker breaker;
        for (int i = 0; i < 19; ++i) {
            breaker.failed(start);
        }
        CHECK_FALSE(breaker.open());
        CHECK(breaker.ask(start) == verdict::call);
        breaker.failed(start);
        CHECK(breaker.open());
        CHECK(breaker.ask(start) == verdict::refuse);
        CHECK(breaker.wait(start) == 1s);
    }

    TEST_CASE("half of the calls have to fail") {
        service_breaker breaker;
        for (int i = 0; i < 100; ++i) {
            breaker.succeeded(start);
            breaker.succeeded(start);
            breaker.failed(start);
        }
        CHECK_FALSE(breaker.open());
        for (int i = 0; i < 100; ++i) {
            breaker.failed(start);
        }
        CHECK(breaker.open());
    }

    TEST_CASE("what is more than ten seconds ago does not count") {
        service_breaker breaker;
        for (int i = 0; i < 19; ++i) {
            breaker.failed(start);
        }
        breaker.failed(start + 10s);
        CHECK_FALSE(breaker.open());
    }

    TEST_CASE("one call at a time finds out whether the service is back") {
        service_breaker breaker = opened_at(start);
        CHECK(breaker.ask(start + 999ms) == verdict::refuse);
        CHECK(breaker.ask(start + 1s) == verdict::call);
        CHECK(breaker.ask(start + 1s) == verdict::refuse);
        SUBCASE("it is: everything goes on") {
            breaker.succeeded(start + 2s);
            CHECK_FALSE(breaker.open());
            CHECK(breaker.ask(start + 2s) == verdict::call);
        }
        SUBCASE("it is not: the next look is later") {
            breaker.failed(start + 2s);
            CHECK(breaker.ask(start + 3'999ms) == verdict::refuse);
            CHECK(breaker.ask(start + 4s) == verdict::call);
        }
        SUBCASE("nobody says: another call finds out") {
            CHECK(breaker.ask(start + 5'999ms) == verdict::refuse);
            CHECK(breaker.ask(start + 6s) == verdict::call);
        }
    }

    TEST_CASE("calls from before that fail late do not push the next look away") {
        service_breaker breaker = opened_at(start);
        for (int i = 0; i < 60; ++i) {
            breaker.failed(start + 500ms);
        }
        CHECK(breaker.ask(start + 1s) == verdict::call);
    }

    TEST_CASE("a service that asks for a pause gets it, up to a minute") {
        service_breaker breaker;
        breaker.failed(start, 7s);
        CHECK(breaker.ask(start + 6'999ms) == verdict::refuse);
        CHECK(breaker.ask(start + 7s) == verdict::call);
        breaker.failed(start + 7s, 3'600s);
        CHECK(breaker.wait(start + 7s) == 60s);
    }
}
