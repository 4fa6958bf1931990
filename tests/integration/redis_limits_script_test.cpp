#include "auth/redis_limits.hpp"
#include "tests/support/redis_server.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <map>
#include <random>
#include <string>
#include <vector>

using namespace concurred::auth;
using namespace concurred::storage;
using namespace concurred::storage::test;
using namespace std::chrono_literals;

namespace {

// So slow that nothing refills while a test runs: a unit is an hour.
constexpr std::int64_t unit = 3'600'000'000;

struct rig {
    redis_server server;
    client_rig client{server.url()};
    redis_limits limits{*client.connected().client};

    charges_answer take(std::vector<bucket_charge> buckets, std::uint32_t extra = 0,
                        const place_charge* place = nullptr, std::vector<money_charge> money = {}) {
        auto r = client.loop.run(limits.take("key_1", buckets, extra, place, money));
        REQUIRE(r.has_value());
        return *r;
    }
    bool settle(std::string_view member, std::vector<charge_settlement> used) {
        return client.loop.run(limits.settle("key_1", member, used));
    }
    bool renew(std::string_view member, std::chrono::milliseconds lease) {
        return client.loop.run(limits.renew("key_1", {&member, 1}, lease, lease + 1s));
    }
    bool adjust(std::string_view name, std::int64_t delta, std::int64_t most) {
        const bucket_adjustment one{name, delta, most};
        return client.loop.run(limits.adjust("key_1", {&one, 1}));
    }
};

/// Units that a bucket stands ahead of now; time that passed since makes it a little less.
std::int64_t units(const charge_answer& a) {
    return (a.ahead_us + unit / 2) / unit;
}

}  // namespace

TEST_SUITE("integration/redis_limits") {
    TEST_CASE("buckets are taken from together or not at all, as a model says, over random costs") {
        if (!redis_installed()) {
            return;
        }
        rig r;
        std::minstd_rand random(7);
        std::array<std::int64_t, 2> used{};
        constexpr std::array<std::int64_t, 2> holds{50, 80};
        for (int i = 0; i < 200; ++i) {
            const std::array<std::int64_t, 2> cost{static_cast<std::int64_t>(random() % 5),
                                                   static_cast<std::int64_t>(random() % 7)};
            // Half a unit more than whole: what refills meanwhile is far less.
            const auto answer = r.take({{"rpm", holds[0] * unit + unit / 2, cost[0] * unit},
                                        {"tpm", holds[1] * unit + unit / 2, cost[1] * unit}});
            const bool fits = used[0] + cost[0] <= holds[0] && used[1] + cost[1] <= holds[1];
            CHECK(answer.allowed == fits);
            for (std::size_t b = 0; b < 2; ++b) {
                used[b] += fits ? cost[b] : 0;
                CHECK(units(answer.each[b]) == used[b]);
                CHECK((answer.each[b].retry_us > 0) == (used[b] + (fits ? 0 : cost[b]) > holds[b]));
            }
        }
        CHECK(used[0] >= 45);
    }

    TEST_CASE("extra units are granted as far as there are any, and none with a denial") {
        if (!redis_installed()) {
            return;
        }
        rig r;
        const bucket_charge one{"rpm", 10 * unit + unit / 2, unit, unit};
        CHECK(r.take({one}, 4).extra == 4);
        const auto rest = r.take({one}, 100);
        CHECK(rest.allowed);
        CHECK(rest.extra == 4);
        CHECK(units(rest.each[0]) == 10);
        const auto none = r.take({one}, 100);
        CHECK_FALSE(none.allowed);
        CHECK(none.extra == 0);
    }

    TEST_CASE("a floor restores what Redis has forgotten, and never empties a bucket further than empty") {
        if (!redis_installed()) {
            return;
        }
        rig r;
        CHECK(r.take({{"rpm", 10 * unit + unit / 2, unit}}).allowed);
        r.server.cli("FLUSHALL");
        const auto known = r.take({{"rpm", 10 * unit + unit / 2, unit, 0, 7 * unit}});
        CHECK(known.allowed);
        CHECK(units(known.each[0]) == 8);
        const auto more = r.take({{"rpm", 10 * unit, unit, 0, 1'000 * unit}});
        CHECK_FALSE(more.allowed);
        CHECK(units(more.each[0]) == 10);
    }

    TEST_CASE("corrections go into debt as far as is allowed, and back no further than full") {
        if (!redis_installed()) {
            return;
        }
        rig r;
        const bucket_charge look{"tpm", 10 * unit, 0, 0, 0, 5 * unit};
        CHECK(r.adjust("tpm", 8 * unit, 15 * unit));
        CHECK(units(r.take({look}).each[0]) == 8);
        CHECK(r.adjust("tpm", 20 * unit, 15 * unit));
        const auto in_debt = r.take({look});
        CHECK(units(in_debt.each[0]) == 15);
        CHECK_FALSE(in_debt.allowed);
        CHECK(r.adjust("tpm", -6 * unit, 15 * unit));
        CHECK(units(r.take({look}).each[0]) == 9);
        CHECK(r.adjust("tpm", -100 * unit, 15 * unit));
        CHECK(r.take({look}).each[0].ahead_us == 0);
        CHECK(r.server.cli("EXISTS 'gw:{key_1}:tpm'") == "0\n");
    }

    TEST_CASE("a bucket written under another clock, or by somebody else, is mended") {
        if (!redis_installed()) {
            return;
        }
        rig r;
        r.server.cli("SET 'gw:{key_1}:rpm' 99999999999999999");
        const auto denied = r.take({{"rpm", 10'000'000, 1'000'000}});
        CHECK_FALSE(denied.allowed);
        CHECK(denied.each[0].ahead_us == 10'000'000);
        CHECK(denied.each[0].retry_us == 1'000'000);
        CHECK(r.server.cli("PTTL 'gw:{key_1}:rpm'").size() <= 6);  // at most ten seconds
        r.server.cli("SET 'gw:{key_1}:rpm' nonsense");
        CHECK(r.take({{"rpm", 10 * unit, unit}}).allowed);
        r.server.cli("DEL 'gw:{key_1}:rpm'");
        r.server.cli("LPUSH 'gw:{key_1}:rpm' x");
        const std::array<bucket_charge, 1> one{bucket_charge{"rpm", 10 * unit, unit}};
        CHECK_FALSE(r.client.loop.run(r.limits.take("key_1", one)).has_value());
    }

    TEST_CASE("places are given back, or end with their lease, and a denied bucket takes none") {
        if (!redis_installed()) {
            return;
        }
        rig r;
        const auto place = [](std::string_view member, std::chrono::milliseconds lease = 60s) {
            return place_charge{.member = member, .limit = 2, .lease = lease, .keep = 61s};
        };
        const bucket_charge plenty{"rpm", 100 * unit, unit};
        const auto try_to_take = [&](const place_charge& p) { return r.take({plenty}, 0, &p); };
        const place_charge first = place("request-1");
        CHECK_FALSE(r.take({{"rpm2", unit / 2, unit}}, 0, &first).allowed);
        CHECK(try_to_take(first).place.ahead_us == 1);
        CHECK(try_to_take(first).place.ahead_us == 1);  // who has one does not take another
        CHECK(try_to_take(place("request-2")).place.ahead_us == 2);
        const auto full = try_to_take(place("request-3"));
        CHECK_FALSE(full.allowed);
        CHECK(full.place.retry_us > 0);
        CHECK(units(full.each[0]) == 3);  // and the bucket gave nothing
        CHECK(r.settle("request-1", {}));
        CHECK(try_to_take(place("request-3")).allowed);
        // What others of ours hold counts even if Redis has forgotten it.
        r.server.cli("DEL 'gw:{key_1}:conc' 'gw:{key_1}:held'");
        CHECK_FALSE(try_to_take({.member = "request-4", .limit = 2, .floor = 2}).allowed);
        // A gateway that is gone gives nothing back; its leases end.
        CHECK(try_to_take(place("request-5", 50ms)).allowed);
        CHECK(try_to_take(place("request-6", 50ms)).allowed);
        eventually([&] { return try_to_take(place("request-7")).allowed; });
    }

    TEST_CASE("a lease that is renewed goes on, and one that is over does not come back") {
        if (!redis_installed()) {
            return;
        }
        rig r;
        const place_charge mine{.member = "mine", .limit = 1, .lease = 60s, .keep = 61s};
        const place_charge other{.member = "other", .limit = 1, .lease = 60s, .keep = 61s};
        CHECK(r.take({}, 0, &mine).allowed);
        CHECK(r.renew("mine", 50ms));
        eventually([&] { return r.take({}, 0, &other).allowed; });
        CHECK(r.renew("mine", 60s));
        CHECK(r.settle("other", {}));
        CHECK(r.take({}, 0, &other).allowed);  // alone again
        CHECK(r.renew("other", 3'600s));
        CHECK(std::stoll(r.server.cli("ZSCORE 'gw:{key_1}:conc' other")) >
              std::stoll(r.server.cli("TIME")) * 1'000'000 + 3'000'000'000);
    }

    TEST_CASE("the money of a request whose lease is over comes back, and its end changes nothing any more") {
        if (!redis_installed()) {
            return;
        }
        rig r;
        const place_charge dead{.member = "dead", .lease = 50ms, .keep = 1h};
        const place_charge alive{.member = "alive", .lease = 60s, .keep = 1h};
        const auto day = [](std::uint64_t cost) {
            return money_charge{"d1", 100, cost, cost, 0, std::chrono::hours(1)};
        };
        CHECK(r.take({}, 0, &dead, {day(90)}).money[0].taken == 90);
        eventually([&] { return r.take({}, 0, &alive, {day(60)}).allowed; });
        CHECK(r.server.cli("GET 'gw:{key_1}:d1'") == "60\n");
        CHECK(r.settle("dead", {{"d1", true, 70, 3'600'000}}));
        CHECK(r.server.cli("GET 'gw:{key_1}:d1'") == "60\n");
        CHECK(r.settle("alive", {{"d1", true, 10, 3'600'000}}));
        CHECK(r.settle("alive", {{"d1", true, 10, 3'600'000}}));  // as after an answer that got lost
        CHECK(r.server.cli("GET 'gw:{key_1}:d1'") == "10\n");
        CHECK(r.server.cli("EXISTS 'gw:{key_1}:conc' 'gw:{key_1}:held'") == "0\n");
    }

    TEST_CASE("a floor restores money that Redis has forgotten") {
        if (!redis_installed()) {
            return;
        }
        rig r;
        const place_charge one{.member = "one"};
        CHECK_FALSE(r.take({}, 0, &one, {{"d1", 100, 41, 41, 60, 1h}}).allowed);
        const auto answer = r.take({}, 0, &one, {{"d1", 100, 41, 20, 60, 1h}});  // a bound that gives way
        CHECK(answer.allowed);
        CHECK(answer.money[0].taken == 40);
        CHECK(answer.money[0].spent == 100);
    }

    TEST_CASE("what requests hold is, over any order of beginnings, changes and ends, what a model says") {
        if (!redis_installed()) {
            return;
        }
        rig r;
        struct held {
            std::int64_t tokens = 0;
            std::int64_t money = 0;
        };
        std::map<std::string, held> open;
        std::minstd_rand random(11);
        std::int64_t tokens = 0;
        std::int64_t money = 0;
        int denied = 0;
        constexpr std::int64_t holds = 60;
        constexpr std::int64_t budget = 400;
        constexpr std::size_t most_open = 5;
        for (int i = 0; i < 600; ++i) {
            const std::string member = "r" + std::to_string(random() % 8);
            const held before = open.contains(member) ? open[member] : held();
            CAPTURE(i);
            if (random() % 3 == 0) {
                const std::int64_t used = random() % 12;
                const std::int64_t cost = random() % 4;
                CHECK(r.settle(member, {{"tpm", false, used * unit, 2 * holds * unit}, {"d1", true, cost, 3'600'000}}));
                if (open.erase(member) != 0) {
                    tokens = std::clamp<std::int64_t>(tokens + used - before.tokens, 0, 2 * holds);
                    money = std::max<std::int64_t>(money + cost - before.money, 0);
                }
            } else {
                const held wanted{1 + static_cast<std::int64_t>(random() % 15),
                                  1 + static_cast<std::int64_t>(random() % 9)};
                const bool guess = random() % 2 == 0;
                const std::int64_t left = budget - (money - before.money);
                const std::int64_t least = guess ? 1 : wanted.money;
                const bool fits = open.size() - open.count(member) < most_open &&
                                  tokens - before.tokens + wanted.tokens <= holds && left >= least;
                const place_charge place{.member = member, .limit = most_open, .lease = 60s, .keep = 1h};
                const auto answer =
                    r.take({{.name = "tpm",
                             .capacity_us = holds * unit + unit / 2,
                             .cost_us = wanted.tokens * unit,
                             .debt_us = holds * unit,
                             .held = true}},
                           0, &place,
                           {{"d1", static_cast<std::uint64_t>(budget), static_cast<std::uint64_t>(wanted.money),
                             static_cast<std::uint64_t>(least), 0, 1h}});
                CHECK(answer.allowed == fits);
                denied += fits ? 0 : 1;
                if (fits) {
                    open[member] = {wanted.tokens, std::min(wanted.money, left)};
                    tokens += wanted.tokens - before.tokens;
                    money += open[member].money - before.money;
                    CHECK(units(answer.each[0]) == tokens);
                    CHECK(answer.money[0].spent == static_cast<std::uint64_t>(money));
                }
            }
            CHECK(r.server.cli("ZCARD 'gw:{key_1}:conc'") == std::to_string(open.size()) + "\n");
            CHECK(r.server.cli("HLEN 'gw:{key_1}:held'") == std::to_string(open.size()) + "\n");
        }
        CHECK(denied > 50);
        CHECK(money <= budget + 2 * static_cast<std::int64_t>(most_open));
    }
}
