#include "upstream/key_ring.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace concurred;
using namespace std::chrono_literals;
using upstream::key_ring;

namespace {

const base::steady_time start{1h};

std::string picks(key_ring& ring, int count, base::steady_time now = start) {
    std::string text;
    for (int i = 0; i < count; ++i) {
        text += static_cast<char>('a' + ring.pick(now));
    }
    return text;
}

}  // namespace

TEST_SUITE("upstream/key_ring") {
    TEST_CASE("keys are used by weight, spread evenly") {
        key_ring equal({1, 1, 1});
        CHECK(picks(equal, 6) == "abcabc");
        key_ring ring({3, 1});
        CHECK(picks(ring, 8) == "aabaaaba");
    }

    TEST_CASE("a key that rests is left out until it wakes") {
        key_ring ring({1, 1, 1});
        ring.rest(1, start + 10s);
        CHECK(ring.resting(1, start));
        CHECK(ring.count_resting(start) == 1);
        CHECK(picks(ring, 4).find('b') == std::string::npos);
        CHECK(picks(ring, 4, start + 9999ms).find('b') == std::string::npos);
        CHECK(!ring.resting(1, start + 10s));
        CHECK(picks(ring, 3, start + 10s).find('b') != std::string::npos);
    }

    TEST_CASE("when all rest, the one that wakes first is used: refusing is the provider's part") {
        key_ring ring({1, 1});
        ring.rest(0, start + 20s);
        ring.rest(1, start + 10s);
        CHECK(!ring.any_awake(start));
        CHECK(ring.wakes_at(start) == start + 10s);
        CHECK(ring.pick(start) == 1);
    }

    TEST_CASE("a rest is never shortened by another, but ended by an accepted request") {
        key_ring ring({1, 1});
        ring.rest(0, start + 20s);
        ring.rest(0, start + 5s);
        CHECK(ring.resting(0, start + 19s));
        ring.wake(0);
        CHECK(ring.any_awake(start));
        CHECK(ring.wakes_at(start) == start);
    }

    TEST_CASE("one key is always used, and an empty ring gives the first index") {
        key_ring one({1});
        one.rest(0, start + 1h);
        CHECK(one.pick(start) == 0);
        CHECK(!one.any_awake(start));
        key_ring none({});
        CHECK(none.pick(start) == 0);
        CHECK(!none.any_awake(start));
    }

    TEST_CASE("a key that comes back has no arrears to make up") {
        key_ring ring({1, 1});
        ring.rest(1, start + 10s);
        CHECK(picks(ring, 50) == std::string(50, 'a'));
        const std::string after = picks(ring, 10, start + 10s);
        CHECK(std::count(after.begin(), after.end(), 'b') <= 6);
    }
}
