#include "upstream/circuit_breaker.hpp"

#include <doctest/doctest.h>

#include <optional>
#include <vector>

using namespace concurred;
using namespace std::chrono_literals;
using upstream::breaker_policy;
using upstream::circuit_breaker;
using state = upstream::circuit_breaker::state;

namespace {

constexpr breaker_policy policy{.failures = 3, .cooldown = 5s, .max_cooldown = 20s, .window = 10s};
const base::steady_time start{1h};

void fail(circuit_breaker& b, base::steady_time now, std::chrono::milliseconds wait = {}) {
    b.failed(b.ask(now), now, wait);
}

circuit_breaker opened(base::steady_time now) {
    circuit_breaker b(policy);
    for (int i = 0; i < 3; ++i) {
        fail(b, now);
    }
    return b;
}

}  // namespace

TEST_SUITE("upstream/circuit_breaker") {
    TEST_CASE("failures in a row open it, and a success in between begins the row anew") {
        circuit_breaker b(policy);
        fail(b, start);
        fail(b, start);
        b.succeeded(b.ask(start), start - 1s);
        fail(b, start);
        fail(b, start);
        CHECK(b.state_at(start) == state::closed);
        fail(b, start);
        CHECK(b.state_at(start) == state::open);
        CHECK(b.openings() == 1);
        CHECK(!b.ask(start).granted);
        CHECK(b.reopens_in(start) == 5s);
        CHECK(b.reopens_in(start + 4s) == 1s);
    }

    TEST_CASE("a row of failures right after a success is bad luck: under load it stays closed") {
        circuit_breaker b(policy);
        b.succeeded(b.ask(start), start);
        b.succeeded(b.ask(start), start);
        for (int i = 0; i < 4; ++i) {
            fail(b, start + 999ms);
        }
        CHECK(b.state_at(start + 999ms) == state::closed);
        fail(b, start + 1000ms);
        CHECK(b.state_at(start + 1000ms) == state::open);
    }

    TEST_CASE("four of five of many opens it too, though a success is never far") {
        circuit_breaker b(policy);
        auto now = start;
        b.succeeded(b.ask(now), now);
        for (int i = 0; i < 5; ++i) {
            fail(b, now);
        }
        CHECK(b.state_at(now) == state::closed);  // five of six, but no more than five
        b.succeeded(b.ask(now), now);
        for (int i = 0; i < 2; ++i) {
            fail(b, now);
        }
        CHECK(b.state_at(now) == state::closed);  // seven of nine
        fail(b, now);
        CHECK(b.state_at(now) == state::open);  // eight of ten
    }

    TEST_CASE("less than that, or spread over a long time, leaves it closed") {
        circuit_breaker few(policy);
        circuit_breaker slow(policy);
        auto now = start;
        for (int i = 0; i < 200; ++i, now += 8s) {
            few.succeeded(few.ask(start), start);
            fail(few, start);
            fail(few, start);
            fail(few, start);
            slow.succeeded(slow.ask(now), now);
            fail(slow, now);
            fail(slow, now);
        }
        CHECK(few.state_at(start) == state::closed);
        CHECK(slow.state_at(now) == state::closed);
    }

    TEST_CASE("after the cooldown one probe passes, and its success closes it") {
        circuit_breaker b = opened(start);
        CHECK(!b.would_grant(start + 4999ms));
        CHECK(b.would_grant(start + 5s));
        CHECK(b.state_at(start + 5s) == state::half_open);
        const auto probe = b.ask(start + 5s);
        CHECK(probe.granted);
        CHECK(probe.probe);
        CHECK(!b.ask(start + 5s).granted);
        b.succeeded(probe, start + 6s);
        CHECK(b.state_at(start + 6s) == state::closed);
        CHECK(!b.ask(start + 6s).probe);
    }

    TEST_CASE("a probe that fails opens it again for twice as long, up to a limit") {
        circuit_breaker b = opened(start);
        auto now = start;
        for (const auto cooldown : {5s, 10s, 20s, 20s}) {
            CHECK(b.reopens_in(now) == cooldown);
            now += cooldown;
            fail(b, now);
        }
    }

    TEST_CASE("a failure right after a probe's success opens it again; a success makes up for all") {
        circuit_breaker b = opened(start);
        b.succeeded(b.ask(start + 5s), start + 5s);
        fail(b, start + 6s);
        CHECK(b.state_at(start + 6s) == state::open);
        CHECK(b.reopens_in(start + 6s) == 10s);
        b.succeeded(b.ask(start + 16s), start + 16s);
        b.succeeded(b.ask(start + 16s), start + 16s);
        fail(b, start + 18s);
        fail(b, start + 18s);
        CHECK(b.state_at(start + 18s) == state::closed);
        fail(b, start + 18s);
        CHECK(b.reopens_in(start + 18s) == 5s);
    }

    TEST_CASE("the wait that was asked for prolongs the cooldown, within the limit") {
        circuit_breaker b(policy);
        fail(b, start);
        fail(b, start);
        fail(b, start, 12s);
        CHECK(b.reopens_in(start) == 12s);
        circuit_breaker c(policy);
        fail(c, start);
        fail(c, start);
        fail(c, start, 1h);
        CHECK(c.reopens_in(start) == 20s);
    }

    TEST_CASE("a probe that says nothing makes room for the next; one that is never heard of, after a cooldown") {
        circuit_breaker b = opened(start);
        b.said_nothing(b.ask(start + 5s));
        CHECK(b.state_at(start + 5s) == state::half_open);
        const auto lost = b.ask(start + 5s);
        CHECK(lost.granted);
        CHECK(!b.would_grant(start + 9999ms));
        const auto second = b.ask(start + 10s);
        CHECK(second.granted);
        b.failed(lost, start + 10s);  // too late to count
        CHECK(b.state_at(start + 10s) == state::half_open);
        b.succeeded(second, start + 11s);
        CHECK(b.state_at(start + 11s) == state::closed);
    }

    TEST_CASE("outcomes of requests from before it opened change nothing") {
        circuit_breaker b(policy);
        const auto early = b.ask(start);
        for (int i = 0; i < 3; ++i) {
            fail(b, start);
        }
        b.succeeded(early, start + 1s);
        CHECK(b.state_at(start + 1s) == state::open);
        b.failed(early, start + 1s, 20s);
        CHECK(b.reopens_in(start + 1s) == 4s);
        CHECK(b.openings() == 1);
    }

    TEST_CASE("with no number of failures it never opens") {
        circuit_breaker b(breaker_policy{.failures = 0});
        for (int i = 0; i < 1000; ++i) {
            fail(b, start);
        }
        CHECK(b.ask(start).granted);
    }

    // Every sequence of seven steps over small times: what must hold holds in all states that can be reached.
    TEST_CASE("in every reachable state: open grants nothing, half open one at a time, and time always frees it") {
        struct walker {
            std::size_t states = 0;
            void walk(circuit_breaker b, base::steady_time now, std::vector<circuit_breaker::permit> out, int left) {
                ++states;
                const bool granted = circuit_breaker(b).ask(now).granted;
                REQUIRE(granted == b.would_grant(now));
                REQUIRE((b.state_at(now) != state::open || !granted));
                REQUIRE((b.state_at(now) != state::closed || granted));
                REQUIRE((b.reopens_in(now) > 0ms) == (b.state_at(now) == state::open));
                if (granted && b.state_at(now) == state::half_open) {
                    circuit_breaker copy = b;
                    REQUIRE(copy.ask(now).probe);
                    REQUIRE(!copy.ask(now).granted);
                }
                REQUIRE(b.would_grant(now + policy.max_cooldown));
                if (left == 0) {
                    return;
                }
                walk(b, now + 5s, out, left - 1);
                {
                    circuit_breaker asked = b;
                    auto more = out;
                    if (const auto p = asked.ask(now); p.granted) {
                        more.push_back(p);
                        walk(asked, now, more, left - 1);
                    }
                }
                for (std::size_t i = 0; i < out.size(); ++i) {
                    auto rest = out;
                    rest.erase(rest.begin() + static_cast<std::ptrdiff_t>(i));
                    circuit_breaker good = b;
                    good.succeeded(out[i], now);
                    walk(good, now, rest, left - 1);
                    circuit_breaker bad = b;
                    bad.failed(out[i], now);
                    walk(bad, now, rest, left - 1);
                    circuit_breaker none = b;
                    none.said_nothing(out[i]);
                    walk(none, now, rest, left - 1);
                }
            }
        };
        walker w;
        circuit_breaker fresh(breaker_policy{.failures = 1, .cooldown = 5s, .max_cooldown = 20s});
        w.walk(fresh, start, {}, 7);
        w.walk(opened(start), start, {}, 6);
        CHECK(w.states > 1000);
    }
}
