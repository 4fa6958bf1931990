#include "auth/spend.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

using namespace concurred;
using namespace concurred::auth;
using namespace std::chrono_literals;

namespace {

const base::steady_time start{std::chrono::hours(100)};
// 2026-11-30T23:59:50Z: ten seconds before a day and a month end.
const base::wall_time wall{std::chrono::seconds(1'796'083'190)};
constexpr std::int64_t usd = 1'000'000'000;

spend_request tokens(std::uint64_t prompt, std::uint64_t output) {
    return {.prompt_tokens = prompt, .output_tokens = output};
}

/// A request whose prompt and answer cost so much.
spend_request money(std::int64_t prompt, std::int64_t output, bool guess = false) {
    return {.prompt_tokens = 1,
            .output_tokens = 1,
            .output_is_guess = guess,
            .prompt_nano_usd = prompt,
            .output_nano_usd = output};
}

struct key {
    explicit key(const spend_limits& limits) { state.set(limits); }
    spend_decision take(const spend_request& request, spend_hold& hold, base::steady_time now = start,
                        base::wall_time at = wall) {
        return reserve(state, request, at, now, hold);
    }
    spend_limit why(const spend_request& request, base::steady_time now = start, base::wall_time at = wall) {
        spend_hold hold;
        const auto decision = reserve(state, request, at, now, hold);
        settle(hold, 0, 0, now);
        return decision.denied_by;
    }
    spend_state state;
};

}  // namespace

TEST_SUITE("auth/spend") {
    TEST_CASE("tokens are reserved at once, and what was not used comes back") {
        key k({.tokens_per_minute = 600});
        spend_hold first;
        spend_hold second;
        auto d = k.take(tokens(100, 200), first);
        CHECK(d.allowed());
        CHECK(d.tokens_limit == 600);
        CHECK(d.tokens_left == 300);
        CHECK(d.tokens_full_in == 30s);
        CHECK(k.take(tokens(100, 200), second).allowed());
        spend_hold third;
        d = k.take(tokens(1, 0), third);
        CHECK(d.denied_by == spend_limit::tokens);
        CHECK(d.left == 0);
        CHECK(d.retry_after == 100ms);  // one token of 600 a minute
        CHECK(third.state == nullptr);
        settle(first, 150, 0, start);
        CHECK(k.why(tokens(100, 50)) == spend_limit::none);
        CHECK(k.why(tokens(100, 51)) == spend_limit::tokens);
        settle(second, 0, 0, start);  // failed before any output
        CHECK(k.why(tokens(100, 350)) == spend_limit::none);
        CHECK(k.why(tokens(100, 351)) == spend_limit::tokens);
    }

    TEST_CASE("who uses more than reserved goes into debt, of at most a minute") {
        key k({.tokens_per_minute = 60});
        spend_hold hold;
        CHECK(k.take(tokens(10, 50), hold).allowed());
        settle(hold, 90, 0, start);  // 30 tokens, half a minute, beyond the bucket
        CHECK(k.why(tokens(1, 0), start + 30s) == spend_limit::tokens);
        CHECK(k.why(tokens(1, 0), start + 31s) == spend_limit::none);
        CHECK(k.take(tokens(10, 0), hold, start + 90s).allowed());
        settle(hold, 1'000'000, 0, start + 90s);
        CHECK(k.why(tokens(1, 0), start + 90s + 60s) == spend_limit::tokens);
        CHECK(k.why(tokens(1, 0), start + 90s + 61s) == spend_limit::none);
    }

    TEST_CASE("a bound on the answer larger than the bucket gives way to it, a prompt does not") {
        key k({.tokens_per_minute = 100});
        spend_hold hold;
        CHECK(k.take(tokens(40, 100'000), hold).allowed());
        CHECK(hold.tokens == 100);
        settle(hold, 45, 0, start);
        CHECK(k.why(tokens(99, 0)) == spend_limit::tokens);
        const auto d = k.take(tokens(100, 0), hold);
        CHECK(d.denied_by == spend_limit::too_large);
        CHECK(base::status_of(spend_error(d)) == 400);
    }

    TEST_CASE("a request that counts for nothing is still counted for something") {
        key k({.tokens_per_minute = 2});
        spend_hold holds[3];
        CHECK(k.take(tokens(0, 0), holds[0]).allowed());
        CHECK(k.take(tokens(0, 0), holds[1]).allowed());
        CHECK(!k.take(tokens(0, 0), holds[2]).allowed());
    }

    TEST_CASE("requests under way are counted until they end") {
        key k({.concurrency = 2});
        spend_hold holds[3];
        CHECK(k.take({}, holds[0]).allowed());
        CHECK(k.take({}, holds[1]).allowed());
        const auto d = k.take({}, holds[2]);
        CHECK(d.denied_by == spend_limit::concurrency);
        CHECK(d.limit == 2);
        settle(holds[0], 0, 0, start);
        settle(holds[0], 0, 0, start);  // a second time is nothing
        CHECK(k.take({}, holds[2]).allowed());
        CHECK(k.why({}) == spend_limit::concurrency);
        k.state.set({});  // the limit is taken away, and set again, while they run
        CHECK(k.why({}) == spend_limit::none);
        k.state.set({.concurrency = 2});
        CHECK(k.why({}) == spend_limit::concurrency);
    }

    TEST_CASE("money of a day and a month is held, settled, and free again when they end") {
        key k({.day_nano_usd = 1 * usd, .month_nano_usd = 10 * usd});
        spend_hold hold;
        CHECK(k.take(money(usd / 10, usd / 2), hold).allowed());
        auto d = k.take(money(usd / 10, usd / 2), hold);
        CHECK(d.denied_by == spend_limit::day);
        CHECK(d.limit == 1'000'000'000);
        CHECK(d.left == 400'000'000);
        CHECK(d.retry_after == 10s);
        settle(hold, 0, usd * 9 / 10, start);
        CHECK(k.why(money(usd / 10, 0)) == spend_limit::none);
        CHECK(k.why(money(usd / 10, 10)) == spend_limit::day);
        CHECK(k.why(money(usd, 0), start, wall + 10s) == spend_limit::none);  // another day, and month
    }

    TEST_CASE("what is settled after its day does not count on the next one") {
        key k({.day_nano_usd = 1 * usd});
        spend_hold late;
        CHECK(k.take(money(usd, 0), late).allowed());
        spend_hold next;
        CHECK(k.take(money(usd, 0), next, start, wall + 10s).allowed());
        settle(late, 0, 0, start);
        CHECK(k.why(money(10, 0), start, wall + 10s) == spend_limit::day);
    }

    TEST_CASE("a guess of the answer's cost gives way to what is left, a bound that the client set does not") {
        key k({.month_nano_usd = usd});
        spend_hold hold;
        CHECK(k.why(money(usd / 10, 2 * usd)) == spend_limit::month);
        CHECK(k.take(money(usd / 10, 2 * usd, true), hold).allowed());
        CHECK(k.why(money(10, 0)) == spend_limit::month);  // all of it is held
        settle(hold, 0, usd / 2, start);
        CHECK(k.why(money(usd / 2, 0)) == spend_limit::none);
        CHECK(k.why(money(usd / 2 + 10, 2 * usd, true)) == spend_limit::month);  // not even the prompt
    }

    TEST_CASE("what the books say was spent counts, and never lowers what is known here") {
        key k({.day_nano_usd = usd, .month_nano_usd = 3 * usd});
        k.state.known_spent(wall, usd / 4, usd * 5 / 2);
        CHECK(k.why(money(usd / 2, 0)) == spend_limit::none);
        CHECK(k.why(money(usd / 2 + 10, 0)) == spend_limit::month);
        k.state.known_spent(wall, 0, 0);
        CHECK(k.why(money(usd / 2 + 10, 0)) == spend_limit::month);
    }

    TEST_CASE("a budget refuses a model without a price, other limits do not ask") {
        spend_request request;
        request.priced = false;
        CHECK(key({.day_nano_usd = 1}).why(request) == spend_limit::unpriced);
        CHECK(key({.tokens_per_minute = 10, .concurrency = 1}).why(request) == spend_limit::none);
    }

    TEST_CASE("what one limit refuses is taken from none of the others") {
        key k({.tokens_per_minute = 1'000, .concurrency = 5, .day_nano_usd = usd, .month_nano_usd = 1});
        spend_hold hold;
        for (int i = 0; i < 20; ++i) {
            CHECK(k.take(money(usd / 2, 0), hold).denied_by == spend_limit::month);
        }
        k.state.set({.tokens_per_minute = 1'000, .concurrency = 1, .day_nano_usd = usd});
        spend_request all = money(usd, 0);
        all.prompt_tokens = 999;
        CHECK(k.why(all) == spend_limit::none);
    }

    TEST_CASE("threads together take what there is, and not more") {
        constexpr int threads = 4;
        key k({.tokens_per_minute = 1'000, .concurrency = 1'000'000, .day_nano_usd = 5'000'000});
        std::atomic<std::uint64_t> got_tokens{0};
        std::atomic<std::int64_t> got_money{0};
        std::vector<std::thread> pool;
        for (int t = 0; t < threads; ++t) {
            pool.emplace_back([&] {
                for (int i = 0; i < 2'000; ++i) {
                    spend_request request = tokens(1, 1);
                    request.prompt_nano_usd = 10'000;
                    spend_hold hold;
                    if (reserve(k.state, request, wall, start, hold).allowed()) {
                        got_tokens += 2;
                        got_money += 10'000;
                        if (i % 3 == 0) {  // failed: all comes back
                            got_tokens -= 2;
                            got_money -= 10'000;
                            settle(hold, 0, 0, start);
                        } else {
                            settle(hold, 2, 10'000, start);
                        }
                    }
                }
            });
        }
        for (auto& one : pool) {
            one.join();
        }
        CHECK(got_tokens.load() == 1'000);
        CHECK(got_money.load() == 5'000'000);
        CHECK(k.state.active.load() == 0);
    }

    TEST_CASE("an answer says which limit, how much is left and when") {
        key k({.tokens_per_minute = 600});
        spend_hold hold;
        auto d = k.take(tokens(100, 200), hold);
        CHECK(
            spend_headers(d).view() ==
            "x-ratelimit-limit-tokens: 600\r\nx-ratelimit-remaining-tokens: 300\r\nx-ratelimit-reset-tokens: 30s\r\n");
        d = k.take(tokens(100, 300), hold);
        CHECK(spend_headers(d).view() ==
              "x-ratelimit-limit-tokens: 600\r\nx-ratelimit-remaining-tokens: 300\r\nx-ratelimit-reset-tokens: 30s\r\n"
              "Retry-After: 10\r\nretry-after-ms: 10000\r\n");
        base::error e = spend_error(d);
        CHECK(base::status_of(e) == 429);
        CHECK(e.details ==
              R"({"limitType":"tokens","limit":600,"remaining":300,"retryAfter":10,"retryAfterMs":10000})");
        key m({.month_nano_usd = usd * 5 / 2});
        d = m.take(money(3 * usd, 0), hold);
        e = spend_error(d);
        CHECK(spend_headers(d).view() == "Retry-After: 10\r\nretry-after-ms: 10000\r\n");
        CHECK(e.details ==
              R"({"limitType":"budget.month","limit":2.5,"remaining":2.5,"retryAfter":10,"retryAfterMs":10000})");
    }

    TEST_CASE("a gateway alone allows its share: never none, and no second helping of what it let through before") {
        key k({.tokens_per_minute = 1'000, .concurrency = 8, .day_nano_usd = 8 * usd});
        const auto share = [&](const spend_request& request, spend_hold& hold) {
            return reserve_share(k.state, request, 4, wall, start, hold);
        };
        spend_hold holds[3];
        CHECK(share(money(usd, 0), holds[0]).allowed());
        CHECK(share(money(usd, 0), holds[1]).allowed());
        auto d = share({.prompt_tokens = 1}, holds[2]);  // two places of eight for each of four
        CHECK(d.denied_by == spend_limit::concurrency);
        CHECK(d.limit == 8);
        settle(holds[1], 0, usd, start);
        d = share(money(usd, 0), holds[2]);
        CHECK(d.denied_by == spend_limit::day);
        CHECK(d.limit == 8'000'000'000);
        CHECK(d.left == 0);
        settle(holds[0], 0, 0, start);
        CHECK(share(money(usd, 0), holds[2]).allowed());
        CHECK(k.state.day.spent(20'787) == 200'000'000);
        settle(holds[2], 0, 0, start);
    }

    TEST_CASE("what was admitted together with others is charged to the share") {
        key k({.tokens_per_minute = 400});
        spend_hold elsewhere{.state = &k.state, .tokens = 100, .counted = true, .replicas = 4};
        count_admitted(elsewhere, start);
        spend_hold hold;
        const auto d = reserve_share(k.state, tokens(1, 0), 4, wall, start, hold);
        CHECK(d.denied_by == spend_limit::tokens);
        CHECK(d.limit == 400);
        CHECK(d.retry_after == 600ms);   // one of 100 tokens a minute
        settle(elsewhere, 0, 0, start);  // it failed before any output
        CHECK(reserve_share(k.state, tokens(1, 0), 4, wall, start, hold).allowed());
        settle(hold, 1, 0, start);
    }

    TEST_CASE("a prompt larger than the share takes all of it, one larger than the limit is refused") {
        key k({.tokens_per_minute = 400});
        spend_hold hold;
        CHECK(reserve_share(k.state, tokens(399, 0), 4, wall, start, hold).allowed());
        CHECK(hold.tokens == 100);
        settle(hold, 399, 0, start);
        CHECK(reserve_share(k.state, tokens(1, 0), 4, wall, start + 60s, hold).denied_by == spend_limit::tokens);
        CHECK(reserve_share(k.state, tokens(400, 0), 4, wall, start, hold).denied_by == spend_limit::too_large);
    }

    TEST_CASE("a budget that all have spent is spent for each") {
        key k({.month_nano_usd = 8 * usd});
        k.state.known_spent(wall, 0, 8 * usd);
        spend_hold hold;
        const auto d = reserve_share(k.state, money(10, 0), 4, wall, start, hold);
        CHECK(d.denied_by == spend_limit::month);
        CHECK(d.left == 0);
    }

    TEST_CASE("shares are never none, and no limit stays none") {
        CHECK(share_of(spend_limits{}, 4) == spend_limits{});
        CHECK(share_of({1, 1, 10, 10}, 4) == spend_limits{1, 1, 10, 10});
        CHECK(share_of({400, 9, 80, 1'000}, 4) == spend_limits{100, 2, 20, 250});
    }
}
