#include "gateway/net/pool_state.hpp"

#include <doctest/doctest.h>

#include <vector>

using namespace concurred;
using namespace std::chrono_literals;
using net::pool_limits;
using net::pool_state;
using verdict = pool_state::verdict;

namespace {

const base::steady_time start{1'000h};

const pool_limits small{.max_connections = 2, .max_waiters = 1, .keepalive = 50s, .max_lifetime = 600s};

/// Opens a connection, as a caller does who is alone.
pool_state::slot open(pool_state& pool, base::steady_time now) {
    const auto d = pool.acquire(now, true, false);
    REQUIRE(d.what == verdict::open);
    pool.opened(d.id, now);
    return d.id;
}

struct counts {
    std::size_t open, idle, busy, waiting;
};

void check_counts(const pool_state& pool, const counts& expected) {
    CHECK(pool.open() == expected.open);
    CHECK(pool.idle() == expected.idle);
    CHECK(pool.busy() == expected.busy);
    CHECK(pool.waiting() == expected.waiting);
}

}  // namespace

TEST_SUITE("net/pool_state") {
    TEST_CASE("what a caller gets depends on what is idle, open and in line") {
        struct row {
            const char* what;
            unsigned busy;
            unsigned idle;
            unsigned waiting;
            bool fresh_only;
            bool in_line;
            verdict expected;
        };
        const std::vector<row> rows{
            {"an empty pool opens", 0, 0, 0, false, false, verdict::open},
            {"an idle connection is reused", 0, 1, 0, false, false, verdict::reuse},
            {"an idle one is reused though more may be opened", 1, 1, 0, false, false, verdict::reuse},
            {"busy ones make it open another", 1, 0, 0, false, false, verdict::open},
            {"a full pool makes it wait", 2, 0, 0, false, false, verdict::wait},
            {"a full line refuses", 2, 0, 1, false, false, verdict::refuse},
            {"a fresh one is opened beside an idle one", 0, 1, 0, true, false, verdict::open},
            {"a fresh one takes the place of an idle one in a full pool", 1, 1, 0, true, false, verdict::open},
            {"a fresh one waits while all are busy", 2, 0, 0, true, false, verdict::wait},
            {"nobody overtakes the line to an idle connection", 1, 1, 1, false, false, verdict::refuse},
            {"nobody overtakes the line to a free slot", 1, 0, 1, false, false, verdict::refuse},
            {"the one in line takes the idle connection", 1, 1, 1, false, true, verdict::reuse},
            {"the one in line takes the free slot", 1, 0, 1, false, true, verdict::open},
            {"the one in line keeps its place", 2, 0, 1, false, true, verdict::wait},
        };
        for (const row& r : rows) {
            INFO(r.what);
            pool_state pool(small);
            std::vector<pool_state::slot> idle;
            for (unsigned i = 0; i < r.busy; ++i) {
                static_cast<void>(open(pool, start));
            }
            for (unsigned i = 0; i < r.idle; ++i) {
                idle.push_back(open(pool, start));
            }
            for (const auto id : idle) {
                CHECK(pool.give_back(id, start));
            }
            for (unsigned i = 0; i < r.waiting; ++i) {
                pool.join_line();
            }
            CHECK(pool.acquire(start + 1s, r.fresh_only, r.in_line).what == r.expected);
            CHECK(pool.open() <= small.max_connections);
        }
    }

    TEST_CASE("the connection used last is reused first") {
        pool_state pool({.max_connections = 3});
        const auto a = open(pool, start);
        const auto b = open(pool, start);
        CHECK(pool.give_back(a, start + 1s));
        CHECK(pool.give_back(b, start + 2s));
        const auto first = pool.take_idle(start + 3s);
        const auto second = pool.take_idle(start + 3s);
        REQUIRE((first && second));
        CHECK(first->id == b);
        CHECK(second->id == a);
        CHECK_FALSE(pool.take_idle(start + 3s).has_value());
    }

    TEST_CASE("a fresh connection in a full pool takes the place of the one idle for the longest") {
        pool_state pool(small);
        const auto a = open(pool, start);
        const auto b = open(pool, start);
        CHECK(pool.give_back(b, start + 1s));
        CHECK(pool.give_back(a, start + 2s));
        const auto d = pool.acquire(start + 3s, true, false);
        CHECK(d.what == verdict::open);
        CHECK(d.id == b);
        check_counts(pool, {2, 1, 1, 0});
    }

    TEST_CASE("nothing is taken past the line") {
        pool_state pool(small);
        CHECK(pool.give_back(open(pool, start), start));
        pool.join_line();
        CHECK_FALSE(pool.take_idle(start).has_value());
        pool.leave_line();
        CHECK(pool.take_idle(start).has_value());
    }

    TEST_CASE("an idle connection is reused until its time is up, then discarded") {
        pool_state pool(small);
        const auto id = open(pool, start);
        CHECK(pool.give_back(id, start));
        auto d = pool.take_idle(start + 50s - 1ms);
        REQUIRE(d.has_value());
        CHECK(d->what == verdict::reuse);
        CHECK(pool.give_back(id, start + 60s));
        d = pool.take_idle(start + 110s);
        REQUIRE(d.has_value());
        CHECK(d->what == verdict::discard);
        pool.closed(d->id);
        check_counts(pool, {0, 0, 0, 0});
    }

    TEST_CASE("a connection is used no longer than its lifetime") {
        pool_state pool(small);
        const auto id = open(pool, start);
        CHECK(pool.give_back(id, start + 590s));
        const auto d = pool.acquire(start + 600s, false, false);
        CHECK(d.what == verdict::discard);
        pool.closed(d.id);
        const auto other = open(pool, start);
        CHECK_FALSE(pool.give_back(other, start + 600s));
        pool.closed(other);
        check_counts(pool, {0, 0, 0, 0});
    }

    TEST_CASE("expired connections come out one by one, the oldest first") {
        pool_state pool({.max_connections = 3, .keepalive = 50s});
        const auto a = open(pool, start);
        const auto b = open(pool, start);
        const auto c = open(pool, start);
        CHECK_FALSE(pool.next_expiry().has_value());
        CHECK(pool.give_back(b, start + 1s));
        CHECK(pool.give_back(a, start + 2s));
        CHECK(pool.give_back(c, start + 9s));
        CHECK(pool.next_expiry() == start + 51s);
        CHECK_FALSE(pool.take_expired(start + 51s - 1ms).has_value());
        CHECK(pool.take_expired(start + 52s) == b);
        CHECK(pool.take_expired(start + 52s) == a);
        CHECK_FALSE(pool.take_expired(start + 52s).has_value());
        CHECK(pool.next_expiry() == start + 59s);
        check_counts(pool, {3, 1, 2, 0});
        CHECK(pool.take_any_idle() == c);
        CHECK_FALSE(pool.take_any_idle().has_value());
    }

    TEST_CASE("a slot that is empty again can be used again") {
        pool_state pool(small);
        const auto a = open(pool, start);
        const auto b = open(pool, start);
        CHECK(a != b);
        CHECK(pool.acquire(start, false, false).what == verdict::wait);
        pool.closed(a);
        check_counts(pool, {1, 0, 1, 0});
        CHECK(open(pool, start) == a);
        check_counts(pool, {2, 0, 2, 0});
    }

    TEST_CASE("a pool of nothing lets callers wait and refuses when the line is full") {
        pool_state pool({.max_connections = 0, .max_waiters = 1});
        CHECK(pool.acquire(start, false, false).what == verdict::wait);
        pool.join_line();
        CHECK(pool.acquire(start, false, false).what == verdict::refuse);
    }
}
