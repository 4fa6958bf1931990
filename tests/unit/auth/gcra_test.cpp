#include "auth/gcra.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <random>

using namespace concurred::auth;
using std::chrono::seconds;

namespace {

__extension__ using int128 = __int128;

/// The continuous token bucket, written down as its definition says: the level is a fraction, units times the length of
/// the refill period, and nothing is ever rounded.
class reference_bucket {
public:
    /// Refills `units` per `period_us`, holds at most `capacity` units, starts full.
    reference_bucket(std::int64_t units, std::int64_t period_us, std::int64_t capacity)
        : units_(units), period_(period_us), full_(int128{capacity} * period_us), level_(full_) {}

    void pass(std::int64_t us) { level_ = std::min(full_, level_ + int128{us} * units_); }
    bool has(std::int64_t cost) const { return level_ >= int128{cost} * period_; }
    void take(std::int64_t cost) { level_ -= int128{cost} * period_; }
    void give(std::int64_t cost) { level_ = std::min(full_, level_ + int128{cost} * period_); }
    bool overdrawn() const { return level_ < 0; }
    std::int64_t whole_units() const { return static_cast<std::int64_t>(level_ / period_); }
    std::int64_t us_until(std::int64_t cost) const { return until(int128{cost} * period_); }
    std::int64_t us_until_full() const { return until(full_); }

private:
    std::int64_t until(int128 wanted) const {
        return wanted <= level_ ? 0 : static_cast<std::int64_t>((wanted - level_ + units_ - 1) / units_);
    }

    std::int64_t units_;
    std::int64_t period_;
    int128 full_;
    int128 level_;
};

using cell = std::atomic<std::int64_t>;

}  // namespace

TEST_SUITE("auth/gcra") {
    TEST_CASE("an interval that divides evenly is exact, any other is rounded up") {
        CHECK(gcra_limit(60, seconds{60}).emission == microseconds{1'000'000});
        CHECK(gcra_limit(40, seconds{10}).emission == microseconds{250'000});
        CHECK(gcra_limit(1'000'000, seconds{60}).emission == microseconds{60});
        CHECK(gcra_limit(7, seconds{60}).emission == microseconds{8'571'429});
        CHECK(gcra_limit(999'999, seconds{60}).emission == microseconds{61});
        CHECK(gcra_limit(1, seconds{60}).burst == 1);
    }

    TEST_CASE("limits at the edge of the numbers do not overflow") {
        const gcra_limit slow(1, std::chrono::days{10'000}, 4'000'000'000U);
        CHECK(slow.window == std::chrono::days{366});
        CHECK(slow.burst > 0);
        CHECK(slow.burst < 4'000'000'000U);
        cell tat{0};
        CHECK(try_acquire(tat, slow, std::int64_t{1} << 52, slow.burst).allowed);
        CHECK_FALSE(try_acquire(tat, slow, std::int64_t{1} << 52).allowed);

        const gcra_limit fast(4'000'000'000U, seconds{1});
        CHECK(fast.emission == microseconds{1});
        CHECK(gcra_limit(5, microseconds{0}).emission == microseconds{1});
    }

    TEST_CASE("a limit of 0 admits nothing") {
        for (const gcra_limit& closed : {gcra_limit(), gcra_limit(0, seconds{60})}) {
            cell tat{0};
            const limit_decision decision = try_acquire(tat, closed, 1'000);
            CHECK_FALSE(decision.allowed);
            CHECK(decision.remaining == 0);
            CHECK(decision.retry_after == limit_decision::never);
        }
    }

    TEST_CASE("a full bucket gives its burst at once, then one unit per interval") {
        const gcra_limit limit(60, seconds{60});
        constexpr std::int64_t now = 5'000'000'000;
        cell tat{0};
        for (std::uint32_t left = 60; left-- > 0;) {
            const limit_decision decision = try_acquire(tat, limit, now);
            CHECK(decision.allowed);
            CHECK(decision.limit == 60);
            CHECK(decision.remaining == left);
            CHECK(decision.retry_after == microseconds{0});
            CHECK(decision.until_full == seconds{60 - left});
        }
        const limit_decision denied = try_acquire(tat, limit, now);
        CHECK_FALSE(denied.allowed);
        CHECK(denied.remaining == 0);
        CHECK(denied.retry_after == seconds{1});
        CHECK(denied.until_full == seconds{60});
        CHECK_FALSE(try_acquire(tat, limit, now + 999'999).allowed);
        CHECK(try_acquire(tat, limit, now + 1'000'000).allowed);
        CHECK_FALSE(try_acquire(tat, limit, now + 1'000'000).allowed);
    }

    TEST_CASE("a denial takes nothing, and neither does asking") {
        const gcra_limit limit(10, seconds{10});
        cell tat{0};
        CHECK(try_acquire(tat, limit, 1'000'000, 8).allowed);
        const std::int64_t before = tat.load();
        CHECK_FALSE(try_acquire(tat, limit, 1'000'000, 3).allowed);
        CHECK(would_acquire(tat, limit, 1'000'000, 2).allowed);
        CHECK(try_acquire(tat, limit, 1'000'000, 0).remaining == 2);
        CHECK(tat.load() == before);
    }

    TEST_CASE("a cost above the burst never passes and says so") {
        const gcra_limit limit(10, seconds{10}, 5);
        cell tat{0};
        const limit_decision decision = try_acquire(tat, limit, 1'000'000'000, 6);
        CHECK_FALSE(decision.allowed);
        CHECK(decision.retry_after == limit_decision::never);
        CHECK(decision.remaining == 5);
        CHECK(tat.load() == 0);
        CHECK(try_acquire(tat, limit, 1'000'000'000, 5).allowed);
    }

    TEST_CASE("every decision is that of the continuous token bucket, for random times and costs") {
        // The window is a multiple of the limit here, so both refill at the same rate.
        const std::array limits{gcra_limit(60, seconds{60}),      gcra_limit(40, seconds{10}),
                                gcra_limit(1, seconds{60}),       gcra_limit(1'000'000, seconds{60}),
                                gcra_limit(10, seconds{10}, 100), gcra_limit(100, seconds{1}, 7)};
        std::mt19937_64 random(20'240'601);
        const auto below = [&random](std::int64_t bound) {
            return static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(bound));
        };
        for (const gcra_limit& limit : limits) {
            CAPTURE(limit.limit);
            reference_bucket model(limit.limit, limit.window.count(), limit.burst);
            cell tat{0};
            std::int64_t now = 1'000'000'000;
            std::uint32_t taken = 0;
            for (int i = 0; i < 100'000; ++i) {
                const std::int64_t elapsed = below(50) == 0  ? below(2 * limit.window.count())
                                             : below(3) == 0 ? 0
                                                             : below(3 * limit.emission.count());
                now += elapsed;
                model.pass(elapsed);
                if (taken != 0 && below(10) == 0) {
                    refund(tat, limit, now, taken);
                    model.give(taken);
                    taken = 0;
                }
                const auto cost = static_cast<std::uint32_t>(below(20) == 0 ? below(limit.burst) + 1 : below(4));
                if (cost > limit.burst) {
                    continue;
                }
                const limit_decision decision = try_acquire(tat, limit, now, cost);
                REQUIRE(decision.allowed == model.has(cost));
                REQUIRE(decision.retry_after.count() == model.us_until(cost));
                if (decision.allowed) {
                    model.take(cost);
                    taken = cost;
                }
                REQUIRE(decision.remaining == model.whole_units());
                REQUIRE(decision.until_full.count() == model.us_until_full());
            }
        }
    }

    TEST_CASE("an interval that was rounded never admits what the exact rate would not, and little less") {
        const std::array limits{gcra_limit(7, seconds{60}), gcra_limit(999'983, seconds{60}),
                                gcra_limit(997, seconds{10}), gcra_limit(59'999, seconds{60}, 100)};
        std::mt19937_64 random(7);
        for (const gcra_limit& limit : limits) {
            CAPTURE(limit.limit);
            reference_bucket exact(limit.limit, limit.window.count(), limit.burst);
            cell tat{0};
            std::int64_t now = 1'000'000'000;
            const std::int64_t start = now;
            std::int64_t admitted = 0;
            for (int i = 0; i < 200'000; ++i) {
                const auto elapsed =
                    static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(2 * limit.emission.count()));
                now += elapsed;
                exact.pass(elapsed);
                for (int tries = 0; tries < 2; ++tries) {
                    if (try_acquire(tat, limit, now).allowed) {
                        exact.take(1);
                        ++admitted;
                    }
                }
                REQUIRE_FALSE(exact.overdrawn());
            }
            // Twice as many were tried as the rate allows, so all that time made available has been taken.
            CHECK(admitted >= (now - start) / limit.emission.count());
        }
    }

    TEST_CASE("a clock that goes back neither locks a key out nor gives it a second burst") {
        const gcra_limit limit(60, seconds{60});
        constexpr std::int64_t noon = 100'000'000'000;
        constexpr std::int64_t hour = 3'600'000'000;
        cell tat{0};
        for (int i = 0; i < 60; ++i) {
            CHECK(try_acquire(tat, limit, noon).allowed);
        }
        const limit_decision back = try_acquire(tat, limit, noon - hour);
        CHECK_FALSE(back.allowed);
        CHECK(back.retry_after == seconds{1});
        CHECK(back.until_full == seconds{60});
        CHECK_FALSE(try_acquire(tat, limit, noon - hour + 999'999).allowed);
        CHECK(try_acquire(tat, limit, noon - hour + 1'000'000).allowed);
        CHECK_FALSE(try_acquire(tat, limit, noon - hour + 1'000'000).allowed);

        // By less than the slack it may be another thread's old time, so nothing is given back; the wait told is true.
        cell other{0};
        CHECK(try_acquire(other, limit, noon, 60).allowed);
        const limit_decision little = try_acquire(other, limit, noon - 5'000'000);
        CHECK_FALSE(little.allowed);
        CHECK(little.retry_after == seconds{6});
        CHECK(try_acquire(other, limit, noon + 1'000'000).allowed);
    }

    TEST_CASE("a clock that leaps ahead gives one burst, as waiting would") {
        const gcra_limit limit(60, seconds{60});
        cell tat{0};
        std::int64_t now = 100'000'000;
        for (int leap = 0; leap < 2; ++leap, now += 3'600'000'000) {
            int admitted = 0;
            for (int i = 0; i < 100; ++i) {
                admitted += try_acquire(tat, limit, now).allowed ? 1 : 0;
            }
            CHECK(admitted == 60);
        }
    }

    TEST_CASE("shards whose clocks differ by up to the slack take no more than one clock would allow") {
        const gcra_limit limit(1'000'000, seconds{60});  // an interval of 60 us: half a second is worth 8,333 units
        cell tat{0};
        constexpr std::int64_t ahead = 10'000'000'000;
        std::int64_t admitted = 0;
        for (int i = 0; i < 2'000'000; ++i) {
            const std::int64_t behind = i % 2 == 0 ? 0 : i % 4 == 1 ? 500'000 : clock_slack_us;
            admitted += try_acquire(tat, limit, ahead - behind).allowed ? 1 : 0;
        }
        CHECK(admitted == 1'000'000);
    }

    TEST_CASE("a refund gives back what was taken and nothing that time has refilled already") {
        const gcra_limit limit(10, seconds{10});
        constexpr std::int64_t now = 50'000'000;
        struct step {
            const char* what;
            std::int64_t later_us;
            std::uint32_t remaining;
        };
        for (const step& s : {step{"at once", 0, 7}, step{"after one interval", 1'000'000, 8},
                              step{"after the bucket is full", 60'000'000, 10}}) {
            CAPTURE(s.what);
            cell tat{0};
            CHECK(try_acquire(tat, limit, now, 5).remaining == 5);
            refund(tat, limit, now + s.later_us, 2);
            CHECK(would_acquire(tat, limit, now + s.later_us, 0).remaining == s.remaining);
        }
    }
}
