#include "auth/spend_charges.hpp"

#include <doctest/doctest.h>

using namespace concurred;
using namespace concurred::auth;
using namespace std::chrono_literals;

namespace {

const base::steady_time start{std::chrono::hours(100)};
// 2026-11-30T23:59:50Z: ten seconds before a day and a month end. Day 20787 since 1970.
const base::wall_time wall{std::chrono::seconds(1'796'083'190)};
constexpr std::int64_t usd = 1'000'000'000;

struct key {
    explicit key(const spend_limits& limits) { state.set(limits); }
    spend_charges charges(const spend_request& wanted) { return {state, wanted, "member", hold, wall, start, 60s}; }
    spend_state state;
    base::spend_hold hold;
};

charges_answer answered(bool allowed, charge_answer place, std::initializer_list<charge_answer> buckets = {},
                        std::initializer_list<money_answer> money = {}) {
    charges_answer a;
    a.allowed = allowed;
    a.place = place;
    a.each.assign(buckets.begin(), buckets.end());
    a.money.assign(money.begin(), money.end());
    return a;
}

}  // namespace

TEST_SUITE("auth/spend_charges") {
    TEST_CASE("only what is limited is asked, and the place always") {
        key none({.concurrency = 3});
        const spend_charges c = none.charges({.prompt_tokens = 5});
        CHECK(c.buckets.empty());
        CHECK(c.money.empty());
        CHECK(c.place.limit == 3);
        CHECK(c.place.keep == 61s);
    }

    TEST_CASE("tokens cost the time in which they refill, and at most the whole bucket") {
        key k({.tokens_per_minute = 600});
        const spend_charges some = k.charges({.prompt_tokens = 20, .output_tokens = 100});
        REQUIRE(some.buckets.size() == 1);
        CHECK(some.buckets[0].name == "tpm");
        CHECK(some.buckets[0].capacity_us == 60'000'000);
        CHECK(some.buckets[0].cost_us == 12'000'000);
        CHECK(some.buckets[0].debt_us == 60'000'000);
        CHECK(some.buckets[0].held);
        CHECK(k.charges({.prompt_tokens = 20, .output_tokens = 100'000}).buckets[0].cost_us == 60'000'000);
        CHECK(token_cost_us(1'000'000'000, 1) == 1);  // never for nothing
        CHECK(token_cost_us(7, 1) == 8'571'429);
        CHECK(token_cost_us(1, 1'000'000) == 120'000'000);
    }

    TEST_CASE("what is known here is a floor under what Redis knows") {
        key k({.tokens_per_minute = 600, .day_nano_usd = usd, .month_nano_usd = 2 * usd});
        CHECK(reserve(k.state, {.prompt_tokens = 300, .prompt_nano_usd = usd / 2}, wall, start, k.hold).allowed());
        k.state.known_spent(wall, 0, usd);
        base::spend_hold other;
        CHECK(reserve(k.state, {.prompt_tokens = 1, .prompt_nano_usd = 10}, wall, start, other).allowed());
        const spend_charges c = k.charges({.prompt_tokens = 1, .prompt_nano_usd = 100, .output_nano_usd = 50});
        CHECK(c.buckets[0].floor_us == 30'100'000);
        REQUIRE(c.money.size() == 2);
        CHECK(c.money[0].name == "d20787");
        CHECK(c.money[0].floor == 50'000'001);
        CHECK(c.money[0].budget == 100'000'000);
        CHECK(c.money[0].cost == 15);
        CHECK(c.money[0].at_least == 15);
        CHECK(c.money[1].name == "m24323");
        CHECK(c.money[1].floor == 100'000'001);
        CHECK(c.place.floor == 1);  // the other one: its own place is its own
        CHECK(c.place.keep == 33 * 24h);
    }

    TEST_CASE("an answer says which limit denied, how much is left and when") {
        key k({.tokens_per_minute = 600, .concurrency = 2, .day_nano_usd = usd, .month_nano_usd = 2 * usd});
        const spend_charges c = k.charges({.prompt_tokens = 10});
        auto d = c.decision(answered(true, {1, 0}, {{1, 0}, {30'000'000, 0}}, {{50, 1}, {60, 1}}));
        CHECK(d.allowed());
        CHECK(d.tokens_limit == 600);
        CHECK(d.tokens_left == 300);
        CHECK(d.tokens_full_in == 30s);
        d = c.decision(answered(false, {2, 1}, {{1, 0}, {0, 0}}, {{50, 1}, {60, 1}}));
        CHECK(d.denied_by == spend_limit::concurrency);
        CHECK(d.limit == 2);
        CHECK(d.left == 0);
        d = c.decision(answered(false, {1, 0}, {{1, 0}, {59'900'000, 900'000}}, {{50, 1}, {60, 1}}));
        CHECK(d.denied_by == spend_limit::tokens);
        CHECK(d.left == 1);
        CHECK(d.retry_after == 900ms);
        d = c.decision(answered(false, {1, 0}, {{1, 0}, {0, 0}}, {{99'999'999, 0}, {60, 1}}));
        CHECK(d.denied_by == spend_limit::day);
        CHECK(d.limit == 1'000'000'000);
        CHECK(d.left == 10);
        CHECK(d.retry_after == 10s);
        d = c.decision(answered(false, {1, 0}, {{1, 0}, {0, 0}}, {{5, 1}, {200'000'000, 0}}));
        CHECK(d.denied_by == spend_limit::month);
        CHECK(d.left == 0);
        CHECK(c.decision(answered(false, {1, 0}, {{1, 5}, {0, 0}}, {{5, 1}, {5, 1}})).allowed());  // the requests did
    }

    TEST_CASE("what was granted is held, here as there") {
        key k({.tokens_per_minute = 600, .day_nano_usd = usd});
        const spend_charges c =
            k.charges({.prompt_tokens = 10, .output_tokens = 20, .prompt_nano_usd = 100, .output_nano_usd = 100});
        base::spend_hold hold = c.hold(k.state, answered(true, {1, 0}, {{0, 0}}, {{99, 7}}), 4);
        CHECK(hold.tokens == 30);
        CHECK(hold.day_units == 7);
        CHECK(hold.month_units == 0);
        CHECK(hold.placed);
        count_admitted(hold, start);
        CHECK(k.state.active == 1);
        CHECK(k.state.day.spent(20'787) == 7);
        CHECK(k.state.share.day.spent(20'787) == 7);
        settle(hold, 10, 30, start);
        CHECK(k.state.active == 0);
        CHECK(k.state.day.spent(20'787) == 3);
        CHECK(k.state.share.day.spent(20'787) == 3);
        CHECK(k.charges({.prompt_tokens = 1}).buckets[0].floor_us == 1'000'000);
        CHECK(hold.state == nullptr);
    }
}
