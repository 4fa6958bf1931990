#include "auth/spend_memory.hpp"

#include <doctest/doctest.h>

using namespace concurred;
using namespace concurred::auth;
using namespace std::chrono_literals;

namespace {

const base::steady_time start{std::chrono::hours(100)};
const spend_limits limits{.tokens_per_minute = 600, .concurrency = 4, .day_nano_usd = 1'000, .month_nano_usd = 10'000};

spend_decision denial(spend_limit by, std::uint64_t limit, std::uint64_t left, std::chrono::milliseconds retry) {
    spend_decision d;
    d.denied_by = by;
    d.limit = limit;
    d.left = left;
    d.retry_after = retry;
    return d;
}

spend_limit why(const spend_denials& denials, const spend_request& request, base::steady_time now,
                const spend_limits& of = limits) {
    const auto d = denied_before(denials, of, request, now);
    return d ? d->denied_by : spend_limit::none;
}

}  // namespace

TEST_SUITE("auth/spend_memory") {
    TEST_CASE("nothing is denied that was not denied before") {
        const spend_denials denials;
        CHECK(why(denials, {.prompt_tokens = 599}, start) == spend_limit::none);
    }

    TEST_CASE("a denied place is remembered for a tenth of a second, whatever a request wants") {
        spend_denials denials;
        remember(denials, denial(spend_limit::concurrency, 4, 0, 1s), {.prompt_tokens = 100}, start);
        CHECK(why(denials, {}, start + 99ms) == spend_limit::concurrency);
        CHECK(denied_before(denials, limits, {}, start + 99ms)->retry_after == 1s);
        CHECK(why(denials, {}, start + 100ms) == spend_limit::none);
    }

    TEST_CASE("denied tokens are remembered for who wants as many, until they would be there, at most a second") {
        spend_denials denials;
        const spend_request wanted{.prompt_tokens = 100, .output_tokens = 200};
        remember(denials, denial(spend_limit::tokens, 600, 150, 15s), wanted, start);
        CHECK(why(denials, wanted, start + 999ms) == spend_limit::tokens);
        CHECK(why(denials, {.prompt_tokens = 299}, start) == spend_limit::none);
        CHECK(why(denials, {.prompt_tokens = 1, .output_tokens = 9'999}, start) == spend_limit::tokens);
        const auto d = denied_before(denials, limits, wanted, start + 500ms);
        REQUIRE(d.has_value());
        CHECK(d->limit == 600);
        CHECK(d->left == 150);
        CHECK(d->retry_after == 14'500ms);
        CHECK(d->tokens_limit == 600);
        CHECK(d->tokens_full_in == 45s);
        CHECK(why(denials, wanted, start + 1s) == spend_limit::none);
        remember(denials, denial(spend_limit::tokens, 600, 299, 100ms), wanted, start);
        CHECK(why(denials, wanted, start + 100ms) == spend_limit::none);
    }

    TEST_CASE("denied money is remembered for who wants at least as much") {
        spend_denials denials;
        remember(denials, denial(spend_limit::day, 1'000, 300, 1h), {.prompt_nano_usd = 310}, start);
        CHECK(why(denials, {.prompt_nano_usd = 310}, start) == spend_limit::day);
        CHECK(why(denials, {.prompt_nano_usd = 300}, start) == spend_limit::none);
        // A bound that is a guess gives way: only the prompt has to be there.
        CHECK(why(denials, {.output_is_guess = true, .prompt_nano_usd = 300, .output_nano_usd = 999}, start) ==
              spend_limit::none);
    }

    TEST_CASE("another limit, or something given back, makes it forgotten") {
        spend_denials denials;
        remember(denials, denial(spend_limit::month, 10'000, 0, 1h), {.prompt_nano_usd = 10}, start);
        CHECK(why(denials, {.prompt_nano_usd = 10}, start, {.month_nano_usd = 20'000}) == spend_limit::none);
        CHECK(why(denials, {.prompt_nano_usd = 10}, start) == spend_limit::month);
        forget(denials);
        CHECK(why(denials, {.prompt_nano_usd = 10}, start) == spend_limit::none);
    }

    TEST_CASE("what can never pass is not remembered: it says something of the request, not of what is left") {
        spend_denials denials;
        remember(denials, denial(spend_limit::too_large, 600, 0, 0ms), {.prompt_tokens = 700}, start);
        remember(denials, denial(spend_limit::unpriced, 0, 0, 0ms), {.priced = false}, start);
        CHECK(why(denials, {.prompt_tokens = 700}, start) == spend_limit::none);
    }
}
