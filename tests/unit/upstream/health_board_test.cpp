#include "upstream/health_board.hpp"

#include <doctest/doctest.h>

using namespace concurred;
using namespace std::chrono_literals;
using upstream::health_board;
using upstream::health_row;
using state = upstream::circuit_breaker::state;

namespace {

health_row row(const char* provider, const char* model, state s, std::chrono::milliseconds wait = 0ms,
               std::uint64_t openings = 0) {
    health_row r;
    r.provider = provider;
    r.model = model;
    r.state = s;
    r.reopens_in = wait;
    r.openings = openings;
    return r;
}

}  // namespace

TEST_SUITE("upstream/health_board") {
    TEST_CASE("the worst state counts, and how many shards see it") {
        health_board board(3);
        board.publish(0, {row("a", "m", state::closed, 0ms, 1)});
        board.publish(1, {row("a", "m", state::open, 4s, 2)});
        board.publish(2, {row("a", "m", state::open, 7s, 1)});
        const auto rows = board.merged();
        REQUIRE(rows.size() == 1);
        CHECK(rows[0].state == state::open);
        CHECK(rows[0].shards == 2);
        CHECK(rows[0].reopens_in == 7s);
        CHECK(rows[0].openings == 4);
    }

    TEST_CASE("a provider's own row comes before those of its models, and a new view takes the place of the old") {
        health_board board(1);
        board.publish(0, {row("b", "", state::closed), row("a", "z", state::open), row("a", "", state::closed)});
        auto rows = board.merged();
        REQUIRE(rows.size() == 3);
        CHECK(rows[0].provider == "a");
        CHECK(rows[0].model.empty());
        CHECK(rows[1].model == "z");
        CHECK(rows[2].provider == "b");
        board.publish(0, {});
        CHECK(board.merged().empty());
    }

    TEST_CASE("keys are as the shard sees them that has most of them at rest") {
        health_board board(2);
        for (unsigned shard = 0; shard < 2; ++shard) {
            health_row r = row("a", "", state::closed);
            r.keys = 3;
            r.resting = shard;
            board.publish(shard, {r});
        }
        CHECK(board.merged().front().resting == 1);
        CHECK(board.merged().front().keys == 3);
    }
}
