#include "upstream/ratio_budget.hpp"

#include <doctest/doctest.h>

using namespace concurred;
using namespace std::chrono_literals;
using upstream::ratio_budget;

namespace {

int spend_all(ratio_budget& b, base::steady_time now) {
    int spent = 0;
    while (b.spend(now)) {
        ++spent;
    }
    return spent;
}

}  // namespace

TEST_SUITE("upstream/ratio_budget") {
    const base::steady_time start{1h};

    TEST_CASE("what is spent is at most the share of what was earned, and the reserve") {
        ratio_budget b(20, 3, 0);
        CHECK(spend_all(b, start) == 3);
        int spent = 0;
        for (int i = 0; i < 1000; ++i) {
            b.earn();
            spent += b.spend(start) ? 1 : 0;
        }
        CHECK(spent == 200);
    }

    TEST_CASE("the reserve fills up with time, and no further") {
        ratio_budget b(10, 5, 2);
        CHECK(spend_all(b, start) == 5);
        CHECK(spend_all(b, start + 499ms) == 0);
        CHECK(spend_all(b, start + 1000ms) == 2);
        CHECK(spend_all(b, start + 1h) == 5);
    }

    TEST_CASE("what was earned is saved up, but not for ever") {
        ratio_budget b(50, 2, 0);
        for (int i = 0; i < 100'000; ++i) {
            b.earn();
        }
        CHECK(spend_all(b, start) == 52);
    }

    TEST_CASE("nothing is allowed without share and reserve") {
        ratio_budget b(0, 0, 0);
        b.earn();
        CHECK(!b.spend(start));
    }
}
