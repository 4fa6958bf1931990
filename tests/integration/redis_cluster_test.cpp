#include "tests/support/redis_server.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace net = concurred::net;
using namespace concurred::storage;
using namespace concurred::storage::test;
using namespace std::chrono_literals;

namespace {

/// Three masters that serve all slots.
class cluster {
public:
    cluster() {
        for (int i = 0; i < 3; ++i) {
            nodes.push_back(std::make_unique<redis_server>(
                std::vector<std::string>{"--cluster-enabled", "yes", "--cluster-node-timeout", "2000", "--cluster-port",
                                         std::to_string(free_port())}));
        }
        std::string create = "--cluster create";
        for (const auto& node : nodes) {
            create += " 127.0.0.1:" + std::to_string(node->port());
        }
        nodes[0]->cli(create + " --cluster-yes");
        for (const auto& node : nodes) {
            eventually([&] { return node->cli("CLUSTER INFO").find("cluster_state:ok") != std::string::npos; });
        }
    }

    redis_server& serving(const std::string& key) {
        const std::string slot = nodes[0]->cli("CLUSTER KEYSLOT " + key);
        for (const auto& node : nodes) {
            if (node->cli("GET " + key).find("MOVED") == std::string::npos) {
                return *node;
            }
        }
        throw std::runtime_error("nobody serves slot " + slot);
    }

    static std::string id(const redis_server& node) {
        std::string text = node.cli("CLUSTER MYID");
        text.pop_back();
        return text;
    }

    std::vector<std::unique_ptr<redis_server>> nodes;
};

}  // namespace

TEST_SUITE("integration/redis_cluster") {
    TEST_CASE("a real Cluster of three masters is recognised, and every key finds its node") {
        if (!redis_installed()) {
            return;
        }
        cluster three;
        client_rig rig(three.nodes[0]->url());
        rig.connected();
        rig.until([&] { return rig.client->clustered(); });
        for (int i = 0; i < 300; ++i) {
            const std::string key = "key" + std::to_string(i);
            CHECK(rig.outcome({"SET", key, key}).empty());
            const redis_result r = rig.ask({"GET", key});
            REQUIRE(r.has_value());
            CHECK(r->text() == key);
        }
        for (const auto& node : three.nodes) {
            CHECK(node->cli("DBSIZE") != "0\n");
        }
        // Keys with one tag go together; without, a command over several is refused.
        CHECK(rig.outcome({"MSET", "{a}1", "x", "{a}2", "y"}).empty());
        CHECK(rig.outcome({"MSET", "a", "x", "b", "y"}) == "crossslot");

        SUBCASE("a slot that is on its way is followed by ASK, and by MOVED when it has arrived") {
            const std::string key = "key7";
            redis_server& from = three.serving(key);
            redis_server& to = &from == three.nodes[0].get() ? *three.nodes[1] : *three.nodes[0];
            std::string slot = from.cli("CLUSTER KEYSLOT " + key);
            slot.pop_back();
            REQUIRE(to.cli("CLUSTER SETSLOT " + slot + " IMPORTING " + cluster::id(from)) == "OK\n");
            REQUIRE(from.cli("CLUSTER SETSLOT " + slot + " MIGRATING " + cluster::id(to)) == "OK\n");
            REQUIRE(from.cli("MIGRATE 127.0.0.1 " + std::to_string(to.port()) + " " + key + " 0 5000") == "OK\n");
            CHECK(from.cli("GET " + key).find("ASK") != std::string::npos);
            CHECK(rig.ask({"GET", key})->text() == key);
            CHECK(rig.client->counters().lost == 0);
            REQUIRE(to.cli("CLUSTER SETSLOT " + slot + " NODE " + cluster::id(to)) == "OK\n");
            REQUIRE(from.cli("CLUSTER SETSLOT " + slot + " NODE " + cluster::id(to)) == "OK\n");
            CHECK(from.cli("GET " + key).find("MOVED") != std::string::npos);
            CHECK(rig.ask({"GET", key})->text() == key);
            const auto errors = rig.client->counters().errors;
            CHECK(rig.ask({"GET", key})->text() == key);
            CHECK(rig.client->counters().errors == errors);  // the new place is remembered
        }
        SUBCASE("keys of one command that are on two nodes for the moment are asked for again") {
            REQUIRE(rig.outcome({"SET", "{a}1", "x"}).empty());
            REQUIRE(rig.outcome({"DEL", "{a}2"}).empty());
            redis_server& from = three.serving("{a}1");
            redis_server& to = &from == three.nodes[0].get() ? *three.nodes[1] : *three.nodes[0];
            std::string slot = from.cli("CLUSTER KEYSLOT {a}1");
            slot.pop_back();
            REQUIRE(to.cli("CLUSTER SETSLOT " + slot + " IMPORTING " + cluster::id(from)) == "OK\n");
            REQUIRE(from.cli("CLUSTER SETSLOT " + slot + " MIGRATING " + cluster::id(to)) == "OK\n");
            CHECK(from.cli("MGET {a}1 {a}2").find("TRYAGAIN") != std::string::npos);
            CHECK(rig.outcome({"MGET", "{a}1", "{a}2"}) == "tryagain");
            CHECK(rig.ask({"GET", "{a}1"})->text() == "x");

            client_rig patient(three.nodes[0]->url(), [](redis_settings& s) { s.command_timeout = 10s; });
            patient.connected();
            patient.until([&] { return patient.client->clustered(); });
            const auto before = patient.client->counters().errors;
            net::test::pending<redis_result> answer;
            patient.loop.start(patient.client->call("{a}1", "MGET", "{a}1", "{a}2"), answer);
            patient.loop.run_until([&] { return patient.client->counters().errors != before; });
            REQUIRE(from.cli("MIGRATE 127.0.0.1 " + std::to_string(to.port()) + " {a}1 0 5000") == "OK\n");
            REQUIRE(to.cli("CLUSTER SETSLOT " + slot + " NODE " + cluster::id(to)) == "OK\n");
            REQUIRE(from.cli("CLUSTER SETSLOT " + slot + " NODE " + cluster::id(to)) == "OK\n");
            const redis_result both = patient.loop.finish(answer);
            REQUIRE(both.has_value());
            CHECK(both->size() == 2);
        }
        SUBCASE("a node that is gone fails its own keys at once and leaves the others alone") {
            redis_server& gone = three.serving("key1");
            std::string other;
            for (int i = 0; other.empty(); ++i) {
                const std::string key = "key" + std::to_string(i);
                other = &three.serving(key) == &gone ? "" : key;
            }
            three.nodes[0]->cli("CONFIG SET cluster-require-full-coverage no");
            three.nodes[1]->cli("CONFIG SET cluster-require-full-coverage no");
            three.nodes[2]->cli("CONFIG SET cluster-require-full-coverage no");
            gone.kill();
            rig.until([&] { return !rig.outcome({"GET", "key1"}).empty(); });
            CHECK(rig.outcome({"GET", other}).empty());
            gone.start();
            rig.until([&] { return rig.outcome({"GET", "key1"}).empty(); });
        }
    }
}
