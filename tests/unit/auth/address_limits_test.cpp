#include "auth/address_limits.hpp"

#include <doctest/doctest.h>

#include <array>

using namespace concurred::auth;
using std::chrono::seconds;

namespace {

constexpr std::int64_t now = 3'600'000'000;

client_address v4(std::uint8_t a, std::uint8_t b, std::uint8_t c, std::uint8_t d) {
    return client_address::v4(std::array{a, b, c, d});
}

/// 2001:db8:0:`net`::`host`.
client_address v6(std::uint8_t net, std::uint8_t host) {
    return client_address::v6(
        std::array<std::uint8_t, 16>{0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, net, 0, 0, 0, 0, 0, 0, 0, host});
}

int burst(address_limiter& limiter, const client_address& address, std::int64_t at = now) {
    int admitted = 0;
    while (admitted < 1'000 && limiter.try_acquire(address, at).allowed) {
        ++admitted;
    }
    return admitted;
}

}  // namespace

TEST_SUITE("auth/address_limits") {
    TEST_CASE("addresses are counted one by one, IPv6 by its /64") {
        address_limiter limiter(gcra_limit(30, seconds{60}), 7, now);
        CHECK(burst(limiter, v4(192, 0, 2, 1)) == 30);
        CHECK(burst(limiter, v4(192, 0, 2, 1)) == 0);
        CHECK(burst(limiter, v4(192, 0, 2, 2)) == 30);
        CHECK(burst(limiter, v6(1, 1)) == 30);
        CHECK(burst(limiter, v6(1, 200)) == 0);
        CHECK(burst(limiter, v6(2, 1)) == 30);
    }

    TEST_CASE("an IPv4 address in IPv6 clothes is the same client") {
        const auto mapped =
            client_address::v6(std::array<std::uint8_t, 16>{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 1});
        CHECK(mapped == v4(192, 0, 2, 1));
        // 0:0:c000:201::, whose bits are those of the IPv4 address, is not.
        CHECK_FALSE(client_address::v6(std::array<std::uint8_t, 16>{0, 0, 0, 0, 192, 0, 2, 1}) == v4(192, 0, 2, 1));
    }

    TEST_CASE("loopback is told apart") {
        std::array<std::uint8_t, 16> one{};
        one[15] = 1;
        CHECK(client_address::v6(one).is_loopback());
        CHECK(v4(127, 0, 0, 1).is_loopback());
        CHECK(v4(127, 255, 0, 9).is_loopback());
        CHECK(client_address::v6(std::array<std::uint8_t, 16>{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 127, 0, 0, 1})
                  .is_loopback());
        CHECK_FALSE(v4(128, 0, 0, 1).is_loopback());
        CHECK_FALSE(v6(0, 1).is_loopback());
    }

    TEST_CASE("asking takes nothing") {
        address_limiter limiter(gcra_limit(2, seconds{60}), 7, now);
        const auto address = v4(192, 0, 2, 1);
        for (int i = 0; i < 10; ++i) {
            CHECK(limiter.would_acquire(address, now).allowed);
        }
        CHECK(limiter.try_acquire(address, now).remaining == 1);
        CHECK(limiter.try_acquire(address, now).remaining == 0);
        CHECK_FALSE(limiter.would_acquire(address, now).allowed);
        CHECK(limiter.would_acquire(address, now).retry_after == seconds{30});
        CHECK(limiter.would_acquire(address, now + 30'000'000).allowed);
    }

    TEST_CASE("a bucket refills, and a full one makes room for others") {
        // One row of eight cells: every address lives here.
        address_limiter limiter(gcra_limit(10, seconds{10}), 7, now, 1);
        for (std::uint8_t host = 1; host <= 8; ++host) {
            CHECK(burst(limiter, v4(192, 0, 2, host)) == 10);
        }
        CHECK(burst(limiter, v4(192, 0, 2, 1), now + 3'000'000) == 3);
        const std::int64_t later = now + 20'000'000;
        for (std::uint8_t host = 101; host <= 108; ++host) {
            CHECK(burst(limiter, v4(192, 0, 2, host), later) == 10);
        }
    }

    TEST_CASE(
        "where there is no room an address shares the bucket that has most left, and gets no more than its limit") {
        address_limiter limiter(gcra_limit(10, seconds{10}), 7, now, 1);
        for (std::uint8_t host = 1; host <= 7; ++host) {
            CHECK(burst(limiter, v4(192, 0, 2, host)) == 10);
        }
        CHECK(limiter.try_acquire(v4(192, 0, 2, 8), now).allowed);
        CHECK(burst(limiter, v4(192, 0, 2, 9)) == 9);
        CHECK(burst(limiter, v4(192, 0, 2, 8)) == 0);
    }

    TEST_CASE("another seed puts addresses elsewhere") {
        // 32 addresses on 4 rows of 8 cells: how many find their row full is up to the seed.
        const auto shares = [](std::uint64_t seed) {
            address_limiter limiter(gcra_limit(1, seconds{60}), seed, now, 4);
            int denied = 0;
            for (std::uint8_t host = 1; host <= 32; ++host) {
                denied += limiter.try_acquire(v4(192, 0, 2, host), now).allowed ? 0 : 1;
            }
            return denied;
        };
        bool differs = false;
        for (std::uint64_t seed = 1; seed < 20; ++seed) {
            differs = differs || shares(seed) != shares(0x5deece66d);
        }
        CHECK(differs);
    }

    TEST_CASE("a clock before the start is the start") {
        address_limiter limiter(gcra_limit(5, seconds{60}), 7, now);
        CHECK(burst(limiter, v4(192, 0, 2, 1), now - 60'000'000) == 5);
        CHECK(burst(limiter, v4(192, 0, 2, 1), now) == 0);
    }
}
