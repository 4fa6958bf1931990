#include "auth/shared_cell.hpp"
#include "auth/revocation_bus.hpp"

#include <doctest/doctest.h>

using namespace concurred::auth;
using std::chrono::seconds;

namespace {

constexpr gcra_limit hundred(100, seconds{60});
constexpr std::int64_t second_us = 1'000'000;
constexpr std::int64_t start = 1'000 * second_us;

}  // namespace

TEST_SUITE("auth/shared_cell") {
    TEST_CASE("the shares of all gateways together are at most the limit, but nobody's share is nothing") {
        CHECK(share_of(hundred, 4).limit == 25);
        CHECK(share_of(hundred, 3).limit == 33);
        CHECK(share_of(hundred, 1).limit == 100);
        CHECK(share_of(hundred, 1'000).limit == 1);
        CHECK(share_of(hundred, 0).limit == 100);
        CHECK(share_of(hundred, 4).window == hundred.window);
    }

    TEST_CASE("the slices of all gateways are at most a tenth of a limit, and none are taken of small ones") {
        CHECK(slice_of(hundred, 4) == 2);
        CHECK(slice_of(gcra_limit(1'000, seconds{60}), 4) == 25);
        CHECK(slice_of(gcra_limit(79, seconds{60}), 4) == 0);
        CHECK(slice_of(gcra_limit(10, seconds{60}), 1) == 0);
        for (const std::uint32_t limit : {80U, 1'000U, 999'999U}) {
            for (const std::uint32_t replicas : {1U, 3U, 4U, 16U}) {
                CHECK(std::uint64_t{slice_of(gcra_limit(limit, seconds{60}), replicas)} * replicas * 10 <= limit);
            }
        }
    }

    TEST_CASE("beside slices the shared bucket holds less by what the gateways may hold") {
        const std::uint32_t slice = slice_of(hundred, 4);
        CHECK(capacity_beside_slices(hundred, slice, 4) == (100 - 4 * 2) * hundred.emission.count());
    }

    TEST_CASE("what was admitted is charged even to an empty bucket, which gets no emptier") {
        std::atomic<std::int64_t> tat{0};
        for (int i = 0; i < 1'000; ++i) {
            charge(tat, hundred, start);
        }
        CHECK(ahead_of(tat, start) == hundred.capacity_us());
        CHECK(ahead_of(tat, start + 10 * second_us) == hundred.capacity_us() - 10 * second_us);
        CHECK(ahead_of(tat, start + 100 * second_us) == 0);
    }

    TEST_CASE("a slice is used up one by one") {
        shared_cell cell;
        CHECK_FALSE(take_held(cell, start));
        add_held(cell, 2, start);
        CHECK(take_held(cell, start));
        CHECK(take_held(cell, start));
        CHECK_FALSE(take_held(cell, start));
    }

    TEST_CASE("the rest of a slice is worth what has not refilled since it was taken") {
        shared_cell cell;
        add_held(cell, 10, start);
        CHECK(take_rest(cell, hundred, start + second_us) == 10 * hundred.emission.count() - second_us);
        CHECK(take_rest(cell, hundred, start + second_us) == 0);
        add_held(cell, 10, start);
        CHECK(take_rest(cell, hundred, start + 60 * second_us) == 0);
        // What is added to a rest does not make it younger.
        add_held(cell, 5, start);
        add_held(cell, 5, start + 3 * second_us);
        CHECK(take_rest(cell, hundred, start + 3 * second_us) == 10 * hundred.emission.count() - 3 * second_us);
    }

    TEST_CASE("a denial is remembered for its time, at most ten seconds, and for its limit only") {
        shared_cell cell;
        CHECK(denied_for(cell, hundred, start) == 0);
        remember_denial(cell, hundred, start, 2 * second_us);
        CHECK(denied_for(cell, hundred, start) == 2 * second_us);
        CHECK(denied_for(cell, hundred, start + 2 * second_us) == 0);
        CHECK(denied_for(cell, gcra_limit(200, seconds{60}), start) == 0);
        remember_denial(cell, hundred, start, 60 * second_us);
        CHECK(denied_for(cell, hundred, start) == 10 * second_us);
    }

    TEST_CASE("a decision tells what is left") {
        const limit_decision d = decision_at(hundred, hundred.capacity_us(), 40 * hundred.emission.count(), 0, 3);
        CHECK(d.allowed);
        CHECK(d.limit == 100);
        CHECK(d.remaining == 63);
        CHECK(d.until_full.count() == 40 * hundred.emission.count());
        const limit_decision no = decision_at(hundred, hundred.capacity_us(), hundred.capacity_us(), 5, 0);
        CHECK_FALSE(no.allowed);
        CHECK(no.remaining == 0);
        CHECK(no.retry_after.count() == 5);
    }
}

TEST_SUITE("auth/revocation_bus") {
    TEST_CASE("a message names a change and its key") {
        const auto message = parse_revocation("17 key_abc");
        REQUIRE(message.has_value());
        CHECK(message->epoch == 17);
        CHECK(message->key_id == "key_abc");
        CHECK(parse_revocation("1 *")->key_id == "*");
        for (const std::string_view text : {"", "17", "17 ", " key", "x key", "-1 key", "1x key"}) {
            CAPTURE(text);
            CHECK_FALSE(parse_revocation(text));
        }
        CHECK_FALSE(parse_revocation("1 " + std::string(300, 'k')));
    }
}
