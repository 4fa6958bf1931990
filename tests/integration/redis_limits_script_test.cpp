#include "auth/redis_limits.hpp"
#include "tests/support/redis_server.hpp"

#include <doctest/doctest.h>

#include <array>
#include <chrono>
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
                        const place_charge* place = nullptr) {
        auto r = client.loop.run(limits.take("key_1", buckets, extra, place));
        REQUIRE(r.has_value());
        return *r;
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
        const place_charge first{"conc", 2, "request-1", 60s};
        const place_charge second{"conc", 2, "request-2", 60s};
        const place_charge third{"conc", 2, "request-3", 60s};
        const bucket_charge plenty{"rpm", 100 * unit, unit};
        CHECK_FALSE(r.take({{"rpm2", unit / 2, unit}}, 0, &first).allowed);
        CHECK(r.take({plenty}, 0, &first).each[1].ahead_us == 1);
        CHECK(r.take({plenty}, 0, &second).each[1].ahead_us == 2);
        const auto full = r.take({plenty}, 0, &third);
        CHECK_FALSE(full.allowed);
        CHECK(full.each[1].retry_us > 0);
        CHECK(units(full.each[0]) == 2);  // and the bucket gave nothing
        CHECK(r.client.loop.run(r.limits.release("key_1", first)));
        CHECK(r.take({plenty}, 0, &third).allowed);
        // A gateway that is gone gives nothing back; its leases end.
        CHECK(r.client.loop.run(r.limits.release("key_1", {"conc", 2, "request-2", 50ms}, true)));
        CHECK(r.client.loop.run(r.limits.release("key_1", {"conc", 2, "request-3", 50ms}, true)));
        eventually([&] { return r.take({plenty}, 0, &first).allowed; });
    }
}
