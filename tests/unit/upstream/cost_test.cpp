#include "upstream/cost.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <random>

using namespace concurred;
using upstream::cost_nano_usd;
using upstream::model_price;

namespace {

constexpr std::int64_t largest = std::numeric_limits<std::int64_t>::max();
constexpr std::uint64_t all_ones = std::numeric_limits<std::uint64_t>::max();

model_price random_price(std::mt19937_64& random) {
    std::uniform_int_distribution<std::uint64_t> pico(0, 200'000'000);
    model_price price{pico(random), pico(random), std::nullopt, std::nullopt};
    if (random() % 2 == 0) {
        price.cached_input = pico(random);
    }
    if (random() % 2 == 0) {
        price.cache_write = pico(random);
    }
    return price;
}

base::token_counts random_tokens(std::mt19937_64& random) {
    std::uniform_int_distribution<std::uint64_t> count(0, 2'000'000);
    return {count(random), count(random), count(random), count(random), count(random)};
}

}  // namespace

TEST_SUITE("upstream/cost") {
    TEST_CASE("each class of tokens has its price") {
        // 3 / 0.3 / 3.75 / 15 USD per million tokens
        const model_price price{3'000'000, 15'000'000, 300'000, 3'750'000};
        CHECK(cost_nano_usd({.prompt = 1'000'000}, price) == 3'000'000'000);
        CHECK(cost_nano_usd({.cache_read = 1'000'000}, price) == 300'000'000);
        CHECK(cost_nano_usd({.cache_write = 1'000'000}, price) == 3'750'000'000);
        CHECK(cost_nano_usd({.completion = 1'000'000}, price) == 15'000'000'000);
        CHECK(cost_nano_usd({.reasoning = 1'000'000}, price) == 15'000'000'000);
        CHECK(cost_nano_usd({1, 1, 1, 1, 1}, price) == 37'050);
        CHECK(cost_nano_usd({}, price) == 0);
    }

    TEST_CASE("what is written to be kept for an hour costs twice the fresh input") {
        const model_price price{3'000'000, 15'000'000, 300'000, 3'750'000};
        CHECK(cost_nano_usd({.cache_write = 1'000'000}, price, 1'000'000) == 6'000'000'000);
        CHECK(cost_nano_usd({.cache_write = 1'000'000}, price, 400'000) == 2'250'000'000 + 2'400'000'000);
        CHECK(cost_nano_usd({.cache_write = 1'000'000}, price, 9'000'000) == 6'000'000'000);
    }

    TEST_CASE("without a price of their own, cached and written tokens cost as input") {
        const model_price price{2'000'000, 6'000'000, std::nullopt, std::nullopt};
        CHECK(cost_nano_usd({.prompt = 10, .cache_read = 10, .cache_write = 10}, price) ==
              cost_nano_usd({.prompt = 30}, price));
    }

    TEST_CASE("parts of a nano-USD are rounded once, half up, over the sum") {
        const model_price price{3'625, 0, 125, std::nullopt};
        CHECK(cost_nano_usd({.prompt = 1}, price) == 4);                   // 3.625
        CHECK(cost_nano_usd({.prompt = 1'000}, price) == 3'625);           // exact
        CHECK(cost_nano_usd({.cache_read = 3}, price) == 0);               // 0.375
        CHECK(cost_nano_usd({.cache_read = 4}, price) == 1);               // 0.5
        CHECK(cost_nano_usd({.prompt = 1, .cache_read = 3}, price) == 4);  // 4.0, not 4 + 0 by parts
        CHECK(cost_nano_usd({.prompt = 1, .cache_read = 7}, price) == 5);  // 4.5
    }

    TEST_CASE("whatever a provider reports, the cost saturates and never overflows") {
        const model_price dear{all_ones, all_ones, all_ones, all_ones};
        CHECK(cost_nano_usd({all_ones, all_ones, all_ones, all_ones, all_ones}, dear) == largest);
        CHECK(cost_nano_usd({.prompt = all_ones}, {1'000'000, 0, {}, {}}) == largest);
        CHECK(cost_nano_usd({.prompt = all_ones}, {500, 0, {}, {}}) == largest);
        CHECK(cost_nano_usd({.prompt = all_ones}, {0, 0, {}, {}}) == 0);
    }

    TEST_CASE("cost is additive up to rounding, grows with every class and doubles with the tokens") {
        std::mt19937_64 random(20261122);
        for (int i = 0; i < 2'000; ++i) {
            const model_price price = random_price(random);
            const base::token_counts a = random_tokens(random);
            const base::token_counts b = random_tokens(random);
            const base::token_counts both{a.prompt + b.prompt, a.cache_read + b.cache_read,
                                          a.cache_write + b.cache_write, a.completion + b.completion,
                                          a.reasoning + b.reasoning};
            const std::int64_t sum = cost_nano_usd(a, price) + cost_nano_usd(b, price);
            CHECK(std::abs(cost_nano_usd(both, price) - sum) <= 1);
            CHECK(cost_nano_usd(both, price) >= cost_nano_usd(a, price));
            CHECK(cost_nano_usd(a, price) >= 0);
        }
    }

    TEST_CASE("the cost agrees with the same sum in floating point") {
        std::mt19937_64 random(7);
        for (int i = 0; i < 2'000; ++i) {
            const model_price price = random_price(random);
            const base::token_counts t = random_tokens(random);
            const auto term = [](std::uint64_t tokens, std::uint64_t pico) {
                return static_cast<long double>(tokens) * static_cast<long double>(pico) / 1'000.0L;
            };
            const long double nano =
                term(t.prompt, price.input) + term(t.cache_read, price.cached_input.value_or(price.input)) +
                term(t.cache_write, price.cache_write.value_or(price.input)) + term(t.output(), price.output);
            CHECK(std::abs(static_cast<long double>(cost_nano_usd(t, price)) - nano) <= 0.51L);
        }
    }

    TEST_CASE("a price in USD per million tokens is kept to its sixth decimal") {
        CHECK(upstream::price_from_usd_per_million(0) == 0);
        CHECK(upstream::price_from_usd_per_million(0.2288) == 228'800);
        CHECK(upstream::price_from_usd_per_million(0.003625) == 3'625);
        CHECK(upstream::price_from_usd_per_million(180) == 180'000'000);
        CHECK(upstream::price_from_usd_per_million(0.0000004) == 0);
        CHECK(upstream::price_from_usd_per_million(0.0000006) == 1);
        CHECK(upstream::price_from_usd_per_million(-1) == 0);
        CHECK(upstream::price_from_usd_per_million(std::nan("")) == 0);
        CHECK(upstream::price_from_usd_per_million(1e300) == upstream::largest_price);
    }
}
