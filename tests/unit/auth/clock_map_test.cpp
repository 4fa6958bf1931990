#include "auth/clock_map.hpp"

#include <doctest/doctest.h>

#include <cstring>
#include <map>
#include <random>

using concurred::auth::clock_map;
using concurred::crypto::digest256;

namespace {

digest256 key_of(std::uint64_t n) {
    digest256 key{};
    std::memcpy(key.data(), &n, sizeof n);
    return key;
}

}  // namespace

TEST_SUITE("auth/clock_map") {
    TEST_CASE("below its capacity it is an ordinary map, for random operations") {
        for (const std::uint64_t seed : {0ULL, 99ULL}) {
            clock_map<int> map(300, seed);
            std::map<std::uint64_t, int> model;
            std::mt19937_64 random(seed);
            for (int i = 0; i < 100'000; ++i) {
                const std::uint64_t n = random() % 300;
                switch (random() % 3) {
                    case 0:
                        CHECK(map.store(key_of(n), i) == i);
                        model[n] = i;
                        break;
                    case 1:
                        map.erase(key_of(n));
                        model.erase(n);
                        break;
                    default: {
                        const int* found = map.find(key_of(n));
                        REQUIRE((found != nullptr) == model.contains(n));
                        if (found != nullptr) {
                            REQUIRE(*found == model[n]);
                        }
                    }
                }
                REQUIRE(map.size() == model.size());
            }
        }
    }

    TEST_CASE("it never holds more than its capacity, and what it holds is right") {
        clock_map<std::uint64_t> map(100, 5);
        for (std::uint64_t n = 0; n < 10'000; ++n) {
            map.store(key_of(n), n);
            REQUIRE(map.size() == std::min<std::uint64_t>(n + 1, 100));
            const std::uint64_t* stored = map.find(key_of(n));
            REQUIRE(stored != nullptr);
            REQUIRE(*stored == n);
        }
        std::size_t held = 0;
        for (std::uint64_t n = 0; n < 10'000; ++n) {
            const std::uint64_t* found = map.find(key_of(n));
            held += found != nullptr ? 1 : 0;
            CHECK((found == nullptr || *found == n));
        }
        CHECK(held == 100);
    }

    TEST_CASE("entries in use survive a flood of others") {
        clock_map<int> map(100, 5);
        for (std::uint64_t n = 0; n < 50; ++n) {
            map.store(key_of(n), 1);
        }
        for (std::uint64_t flood = 1'000; flood < 11'000; ++flood) {
            map.store(key_of(flood), 2);
            if (flood % 20 == 0) {
                for (std::uint64_t n = 0; n < 50; ++n) {
                    REQUIRE(map.find(key_of(n)) != nullptr);
                }
            }
        }
    }

    TEST_CASE("a map of one entry keeps the last") {
        clock_map<int> map(0, 1);
        map.store(key_of(1), 1);
        map.store(key_of(2), 2);
        CHECK(map.size() == 1);
        CHECK(map.find(key_of(1)) == nullptr);
        CHECK(*map.find(key_of(2)) == 2);
        map.erase(key_of(2));
        CHECK(map.find(key_of(2)) == nullptr);
        map.store(key_of(3), 3);
        CHECK(*map.find(key_of(3)) == 3);
    }
}
