#include "upstream/load_balance.hpp"

#include <doctest/doctest.h>

#include <array>
#include <string>
#include <vector>

using namespace concurred;
using namespace std::chrono_literals;
using upstream::balance_candidate;
using upstream::balance_strategy;

namespace {

std::string order_of(balance_strategy s, const std::vector<balance_candidate>& c, std::uint32_t turn, double dice = 0) {
    std::array<std::uint8_t, upstream::max_balanced> order{};
    upstream::balance(s, c, turn, dice, std::span(order).first(c.size()));
    std::string text;
    for (std::size_t i = 0; i < c.size(); ++i) {
        text += static_cast<char>('a' + order[i]);
    }
    return text;
}

std::array<int, 3> shares(balance_strategy s, const std::vector<balance_candidate>& c, std::uint32_t from, int turns) {
    std::array<int, 3> counts{};
    for (int i = 0; i < turns; ++i) {
        ++counts[static_cast<std::size_t>(order_of(s, c, from + static_cast<std::uint32_t>(i))[0] - 'a')];
    }
    return counts;
}

}  // namespace

TEST_SUITE("upstream/load_balance") {
    TEST_CASE("names of strategies") {
        CHECK(upstream::balance_strategy_of("weighted") == balance_strategy::weighted);
        CHECK(upstream::balance_strategy_of("round_robin") == balance_strategy::round_robin);
        CHECK(upstream::balance_strategy_of("least_latency") == balance_strategy::least_latency);
        CHECK(upstream::balance_strategy_of("random") == balance_strategy::random);
        CHECK(!upstream::balance_strategy_of("Weighted"));
        CHECK(!upstream::balance_strategy_of(""));
    }

    TEST_CASE("weighted: over any hundred turns each has its share, give or take three") {
        const std::vector<balance_candidate> c{{.weight = 70}, {.weight = 20}, {.weight = 10}};
        for (const std::uint32_t from : {0U, 1U, 77U, 12345U, 4294967200U}) {
            const auto counts = shares(balance_strategy::weighted, c, from, 100);
            CHECK(std::abs(counts[0] - 70) <= 3);
            CHECK(std::abs(counts[1] - 20) <= 3);
            CHECK(std::abs(counts[2] - 10) <= 3);
        }
    }

    TEST_CASE(
        "weighted: nothing goes to a weight of 0, and the share of an unhealthy one goes to the others by weight") {
        std::vector<balance_candidate> c{{.weight = 1}, {.weight = 0}, {.weight = 3}};
        CHECK(shares(balance_strategy::weighted, c, 0, 400)[1] == 0);
        c = {{.weight = 2, .healthy = false}, {.weight = 3}, {.weight = 1}};
        const auto counts = shares(balance_strategy::weighted, c, 0, 400);
        CHECK(counts[0] == 0);
        CHECK(std::abs(counts[1] - 300) <= 4);
    }

    TEST_CASE("round robin: turn by turn, the unhealthy left out, the rest of the circle behind the chosen one") {
        std::vector<balance_candidate> c(3);
        CHECK(order_of(balance_strategy::round_robin, c, 0) == "abc");
        CHECK(order_of(balance_strategy::round_robin, c, 1) == "bca");
        CHECK(order_of(balance_strategy::round_robin, c, 2) == "cab");
        CHECK(order_of(balance_strategy::round_robin, c, 3) == "abc");
        c[1].healthy = false;
        CHECK(order_of(balance_strategy::round_robin, c, 0) == "acb");
        CHECK(order_of(balance_strategy::round_robin, c, 1) == "cab");
    }

    TEST_CASE("least latency: the fastest; first of all one that is not known") {
        std::vector<balance_candidate> c{{.latency = 500ms}, {.latency = 200ms}, {.latency = 300ms}};
        CHECK(order_of(balance_strategy::least_latency, c, 0)[0] == 'b');
        c[1].healthy = false;
        CHECK(order_of(balance_strategy::least_latency, c, 0) == "cab");
        c[0].latency.reset();
        CHECK(order_of(balance_strategy::least_latency, c, 0)[0] == 'a');
    }

    TEST_CASE("random: by dice, every one as likely, whatever the weights") {
        const std::vector<balance_candidate> c{{.weight = 100}, {.weight = 1}, {.weight = 1}};
        CHECK(order_of(balance_strategy::random, c, 0, 0.0)[0] == 'a');
        CHECK(order_of(balance_strategy::random, c, 0, 0.34)[0] == 'b');
        CHECK(order_of(balance_strategy::random, c, 0, 0.99)[0] == 'c');
    }

    TEST_CASE("when all are unhealthy there is an order all the same") {
        const std::vector<balance_candidate> c(3, {.healthy = false});
        for (const auto s : {balance_strategy::weighted, balance_strategy::round_robin, balance_strategy::least_latency,
                             balance_strategy::random}) {
            CHECK(order_of(s, c, 5, 0.5).size() == 3);
        }
    }

    TEST_CASE("groups count their turns by themselves") {
        upstream::balance_turns turns;
        CHECK(turns.next(1) == 0);
        CHECK(turns.next(1) == 1);
        CHECK(turns.next(2) == 0);
    }
}
