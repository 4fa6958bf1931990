// Several gateways in one process, on one real Redis: what they admit together, and what is left when something fails.
#include "auth/shared_spend.hpp"
#include "auth/key_state.hpp"
#include "auth/spend_memory.hpp"
#include "tests/support/redis_server.hpp"

#include <doctest/doctest.h>

#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

using namespace concurred;
using namespace concurred::auth;
using namespace concurred::storage;
using namespace concurred::storage::test;
using namespace std::chrono_literals;

namespace {

// 2026-11-30T12:00:00Z
const base::wall_time wall{std::chrono::seconds(1'796'040'000)};
constexpr std::string_view key_id = "key_1";
constexpr std::uint32_t replicas = 3;

/// A request under way.
struct request {
    base::event_id id{};
    base::spend_hold hold;
};

class gateway {
public:
    gateway(const redis_server& server, const spend_limits& limits, std::uint32_t per_day = 1'000'000,
            const std::function<void(redis_settings&)>& change = {})
        : redis(server.url(), change),
          rules_(rate_limiter::make({.paths = {{"/api/v1/models", 1'000'000}}}).value()),
          limiter_(redis.loop.executor(), rules_, *redis.client, limit_mode::strict, replicas),
          spend(redis.loop.executor(), limiter_, *redis.client, replicas),
          owed_{make_principal(
                    {.owner = "o", .key_id = key_id, .rate_limit = per_day, .rate_window = 24h, .spend = limits},
                    states_.state_for(key_id))
                    .value(),
                rules_.class_of("/api/v1/models")} {
        redis.connected();
        spend.start();
    }
    ~gateway() { static_cast<void>(redis.loop.run(ended(spend))); }
    gateway(const gateway&) = delete;
    gateway& operator=(const gateway&) = delete;

    base::task<shared_spend::outcome> asking(request& r, const spend_request& wanted, bool owing = true) {
        return spend.take(owing ? &owed_ : nullptr, {key_id, r.id, state(), wanted, wall}, r.hold);
    }
    shared_spend::outcome take(request& r, const spend_request& wanted, bool owing = true) {
        return redis.loop.run(asking(r, wanted, owing));
    }
    bool admits(request& r, const spend_request& wanted, bool owing = true) {
        const auto outcome = take(r, wanted, owing);
        return (!outcome.requests || outcome.requests->allowed) && outcome.spend.allowed();
    }
    /// As the ledger does it.
    void settle(request& r, std::uint64_t tokens, std::int64_t nano_usd) {
        if (r.hold.placed) {
            spend.settle(key_id, r.id, r.hold, tokens, nano_usd);
        }
        auth::settle(r.hold, tokens, nano_usd, std::chrono::steady_clock::now());
    }
    spend_state& state() { return *owed_.who.spend; }
    /// As if the moment were over for which denials are remembered.
    void forget() { auth::forget(state().denials); }

    client_rig redis;

private:
    static base::task<bool> ended(shared_spend& which) {
        co_await which.close();
        co_return true;
    }

    key_state_table states_;
    rate_limiter rules_;
    shared_limiter limiter_;

public:
    shared_spend spend;

private:
    owed_request owed_;
};

request numbered(unsigned number) {
    request r;
    r.id[0] = static_cast<std::uint8_t>(number);
    r.id[1] = static_cast<std::uint8_t>(number >> 8);
    return r;
}

/// Costs so much, in tens of nano-USD.
spend_request costing(std::int64_t units) {
    return {.prompt_tokens = 1, .output_tokens = 1, .prompt_nano_usd = 10 * units};
}

long long places(const redis_server& server) {
    return std::stoll(server.cli("ZCARD 'gw:{key_1}:conc'"));
}

long long spent(const redis_server& server) {
    const std::string text = server.cli("GET 'gw:{key_1}:d20787'");
    return text == "\n" ? 0 : std::stoll(text);
}

/// Makes it so much later for the leases.
void pass_time(const redis_server& server, std::chrono::seconds time) {
    server.cli(
        "EVAL \"for _, m in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do redis.call('ZINCRBY', KEYS[1], "
        "ARGV[1], m) end\" 1 'gw:{key_1}:conc' -" +
        std::to_string(time.count()) + "000000");
}

}  // namespace

TEST_SUITE("integration/shared_spend") {
    TEST_CASE("gateways admit together exactly what one would, over any order of beginnings and ends") {
        if (!redis_installed()) {
            return;
        }
        const redis_server server;
        const spend_limits limits{.concurrency = 4, .day_nano_usd = 3'000};
        std::vector<std::unique_ptr<gateway>> gateways;
        for (unsigned i = 0; i < replicas; ++i) {
            gateways.push_back(std::make_unique<gateway>(server, limits));
        }
        struct open_request {
            request of;
            gateway* at;
            std::int64_t cost;
        };
        std::vector<open_request> open;
        std::minstd_rand random(5);
        std::int64_t money = 0;
        int admitted = 0;
        int denied = 0;
        for (unsigned i = 0; i < 400; ++i) {
            CAPTURE(i);
            if (!open.empty() && random() % 5 < 2) {
                const std::size_t which = random() % open.size();
                open_request one = open[which];
                open.erase(open.begin() + static_cast<std::ptrdiff_t>(which));
                const auto cost = static_cast<std::int64_t>(random() % 6);
                money += cost - one.cost;
                one.at->settle(one.of, 1, 10 * cost);
                one.at->redis.until([&] { return places(server) == static_cast<long long>(open.size()); });
                CHECK(spent(server) == money);
                continue;
            }
            open_request one{numbered(i), gateways[random() % replicas].get(),
                             1 + static_cast<std::int64_t>(random() % 8)};
            const bool fits = open.size() < 4 && money + one.cost <= 300;
            one.at->forget();
            CHECK(one.at->admits(one.of, costing(one.cost)) == fits);
            (fits ? admitted : denied) += 1;
            if (fits) {
                money += one.cost;
                open.push_back(one);
            }
            CHECK(places(server) == static_cast<long long>(open.size()));
        }
        CHECK(admitted > 50);
        CHECK(denied > 50);
        CHECK(money <= 300);
        for (open_request& one : open) {
            one.at->settle(one.of, 0, 0);
        }
    }

    TEST_CASE("requests, tokens, places and money are taken in one step, or nothing is") {
        if (!redis_installed()) {
            return;
        }
        const redis_server server;
        gateway g(server, {.tokens_per_minute = 1'000, .concurrency = 2, .day_nano_usd = 1'000}, 100);
        request one = numbered(1);
        const auto before = g.redis.client->counters().commands;
        const auto outcome = g.take(one, {.prompt_tokens = 100, .output_tokens = 200, .prompt_nano_usd = 500});
        // The text of the script was sent once besides its name.
        CHECK(g.redis.client->counters().commands - before == 2);
        REQUIRE(outcome.requests.has_value());
        CHECK(outcome.requests->remaining == 99);
        CHECK(outcome.spend.tokens_limit == 1'000);
        CHECK(outcome.spend.tokens_left == 700);
        request two = numbered(2);
        const auto denied = g.take(two, {.prompt_tokens = 100, .output_tokens = 200, .prompt_nano_usd = 600});
        CHECK(g.redis.client->counters().commands - before == 3);
        CHECK(denied.requests->allowed);
        CHECK(denied.spend.denied_by == spend_limit::day);
        CHECK(denied.spend.left == 500);
        CHECK(two.hold.state == nullptr);
        CHECK(g.take(two, {.prompt_tokens = 100, .prompt_nano_usd = 400}).requests->remaining == 98);
        request three = numbered(3);
        CHECK(g.take(three, {.prompt_tokens = 1}).spend.denied_by == spend_limit::concurrency);
        g.settle(one, 0, 0);
        g.settle(two, 0, 0);
        g.redis.until([&] { return places(server) == 0; });
        CHECK(spent(server) == 0);
        const auto again = g.take(three, {.prompt_tokens = 100});
        CHECK(again.spend.tokens_left >= 900);  // all came back
        g.settle(three, 0, 0);
    }

    TEST_CASE("another provider's price replaces what is held, or leaves it as it is") {
        if (!redis_installed()) {
            return;
        }
        const redis_server server;
        gateway g(server, {.concurrency = 1, .day_nano_usd = 1'000});
        request one = numbered(1);
        CHECK(g.admits(one, costing(60)));
        CHECK(g.admits(one, costing(90), false));
        CHECK(spent(server) == 90);
        CHECK_FALSE(g.admits(one, costing(101), false));
        CHECK(spent(server) == 90);
        CHECK(places(server) == 1);
        CHECK(g.state().active == 1);
        g.settle(one, 1, 70);
        g.redis.until([&] { return places(server) == 0; });
        CHECK(spent(server) == 7);
        CHECK(g.state().active == 0);
    }

    TEST_CASE("a gateway that dies holds its places for a lease, and its money comes back") {
        if (!redis_installed()) {
            return;
        }
        const redis_server server;
        const spend_limits limits{.concurrency = 2, .day_nano_usd = 1'000};
        request dead[2] = {numbered(1), numbered(2)};
        gateway other(server, limits);
        {
            gateway dying(server, limits);
            CHECK(dying.admits(dead[0], costing(50)));
            CHECK(dying.admits(dead[1], costing(50)));
        }
        request one = numbered(3);
        CHECK(other.take(one, costing(10)).spend.denied_by == spend_limit::concurrency);
        pass_time(server, 59s);
        other.forget();
        CHECK_FALSE(other.admits(one, costing(10)));
        pass_time(server, 2s);
        other.forget();
        CHECK(other.admits(one, costing(100)));
        CHECK(spent(server) == 100);
        other.settle(one, 0, 0);
        dead[0].hold = dead[1].hold = {};
    }

    TEST_CASE("what Redis forgets while requests run costs at most one more limit of places, and no money") {
        if (!redis_installed()) {
            return;
        }
        const redis_server server;
        const spend_limits limits{.concurrency = 2, .day_nano_usd = 1'000};
        gateway a(server, limits);
        gateway b(server, limits);
        request first = numbered(1);
        request second = numbered(2);
        CHECK(a.admits(first, costing(60)));
        a.settle(first, 1, 600);
        a.redis.until([&] { return places(server) == 0; });
        CHECK(a.admits(first, costing(20)));
        CHECK(a.admits(second, costing(5)));
        server.cli("FLUSHALL");
        server.cli("SCRIPT FLUSH");
        request third = numbered(3);
        CHECK(a.take(third, costing(1)).spend.denied_by == spend_limit::concurrency);  // it knows its own
        b.state().known_spent(wall, 600, 0);                                           // from the books
        CHECK(b.take(third, costing(41)).spend.denied_by == spend_limit::day);
        CHECK(b.admits(third, costing(15)));
        a.settle(first, 1, 200);
        a.settle(second, 1, 50);
        b.settle(third, 1, 150);
        b.redis.until([&] { return places(server) == 0; });
        // The next of a's, which has spent 85 and knows it, restores what was forgotten.
        CHECK_FALSE(a.admits(first, costing(16)));
        CHECK(a.admits(first, costing(15)));
        a.settle(first, 0, 0);
    }

    TEST_CASE("while Redis is away each has its share, and an answer that does not come leaves nothing taken") {
        if (!redis_installed()) {
            return;
        }
        redis_server server;
        const spend_limits limits{.concurrency = 6, .day_nano_usd = 3'000};
        // Given up only after an hour: what is asked fails by its deadline.
        gateway g(server, limits, 1'000'000, [](redis_settings& s) {
            s.command_timeout = 50ms;
            s.stall_timeout = 1h;
        });
        std::vector<request> requests;
        for (unsigned i = 0; i < 4; ++i) {
            requests.push_back(numbered(i));
        }
        server.pause();
        CHECK(g.admits(requests[0], costing(10)));  // waits for the deadline
        CHECK_FALSE(g.redis.client->up());
        const auto timed_out = g.redis.client->counters().timed_out;
        CHECK(timed_out == 1);
        CHECK(g.admits(requests[1], costing(10)));  // waits for nothing: nothing is sent
        CHECK(g.take(requests[2], costing(1)).spend.denied_by == spend_limit::concurrency);
        CHECK(g.redis.client->counters().timed_out == timed_out);
        g.settle(requests[1], 1, 50);
        CHECK(g.take(requests[2], costing(86)).spend.denied_by == spend_limit::day);  // 100 for each of three
        CHECK(g.admits(requests[2], costing(85)));
        g.settle(requests[2], 0, 0);
        g.settle(requests[0], 1, 50);
        server.resume();
        g.redis.connected();
        // The first may have been taken over there; it is settled all the same.
        g.redis.until([&] { return places(server) == 0; });
        CHECK(spent(server) <= 10);
        CHECK(g.admits(requests[3], costing(290)));  // all know of ten
        request more = numbered(9);
        CHECK_FALSE(g.admits(more, costing(1)));
        g.settle(requests[3], 0, 0);
        g.redis.until([&] { return places(server) == 0; });
        CHECK(spent(server) == 10);
    }

    TEST_CASE("an end that Redis did not hear is told again") {
        if (!redis_installed()) {
            return;
        }
        redis_server server;
        gateway g(server, {.concurrency = 1}, 1'000'000, [](redis_settings& s) { s.command_timeout = 50ms; });
        request one = numbered(1);
        CHECK(g.admits(one, costing(1)));
        server.pause();
        g.settle(one, 1, 0);
        g.redis.until([&] { return g.redis.client->counters().timed_out + g.redis.client->counters().lost != 0; });
        server.resume();
        g.redis.until([&] { return places(server) == 0; });
        g.redis.connected();
        CHECK(g.admits(one, costing(1)));
        g.settle(one, 1, 0);
    }

    TEST_CASE("a crowd that is denied does not ask for each request, until something is given back here") {
        if (!redis_installed()) {
            return;
        }
        const redis_server server;
        gateway g(server, {.concurrency = 8, .month_nano_usd = 1'000}, 100);
        request one = numbered(1);
        CHECK(g.take(one, costing(60)).requests->remaining == 99);
        request two = numbered(2);
        CHECK(g.take(two, costing(50)).spend.denied_by == spend_limit::month);
        const auto before = g.redis.client->counters().commands;
        for (int i = 0; i < 100; ++i) {
            const auto denied = g.take(two, costing(50 + i));
            CHECK(denied.spend.denied_by == spend_limit::month);
            CHECK(denied.spend.left == 400);
            CHECK(denied.requests->allowed);
            CHECK(denied.requests->remaining == 99);  // nothing was taken
        }
        CHECK(g.redis.client->counters().commands - before < 100);  // the moment may be over now and then
        CHECK(g.spend.remembered() > 0);
        CHECK(g.admits(two, costing(40)));  // wants less
        g.settle(one, 0, 0);
        request three = numbered(3);
        g.redis.until([&] { return places(server) == 1; });
        CHECK(g.admits(three, costing(60)));
        g.settle(two, 0, 0);
        g.settle(three, 0, 0);
    }

    TEST_CASE("what can never pass is refused without asking, and leaves the unit of requests owed") {
        if (!redis_installed()) {
            return;
        }
        const redis_server server;
        gateway g(server, {.tokens_per_minute = 10, .month_nano_usd = 1'000});
        const auto before = g.redis.client->counters().commands;
        request one = numbered(1);
        auto outcome = g.take(one, {.prompt_tokens = 10});
        CHECK(outcome.spend.denied_by == spend_limit::too_large);
        CHECK(outcome.spend.limit == 10);
        CHECK_FALSE(outcome.requests.has_value());
        outcome = g.take(one, {.prompt_tokens = 1, .priced = false});
        CHECK(outcome.spend.denied_by == spend_limit::unpriced);
        CHECK(g.redis.client->counters().commands == before);
    }
}
