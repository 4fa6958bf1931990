#include "tests/support/redis_server.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <string>

using namespace concurred::storage;
using namespace concurred::storage::test;
using namespace std::chrono_literals;

namespace {

std::string sentinel_config(unsigned short master) {
    const std::string name = "mymaster";
    return "sentinel monitor " + name + " 127.0.0.1 " + std::to_string(master) + " 1\n" +  //
           "sentinel down-after-milliseconds " + name + " 500\n" +                         //
           "sentinel failover-timeout " + name + " 2000\n" +                               //
           "requirepass watch\n";
}

}  // namespace

TEST_SUITE("integration/redis_failover") {
    TEST_CASE("after a failover by a real Sentinel the new master is found and used") {
        if (!redis_installed()) {
            return;
        }
        redis_server master;
        redis_server replica({"--replicaof", "127.0.0.1 " + std::to_string(master.port())});
        eventually([&] { return replica.cli("INFO replication").find("master_link_status:up") != std::string::npos; });
        redis_server sentinel({}, sentinel_config(master.port()));
        eventually([&] {
            return sentinel.cli("-a watch SENTINEL replicas mymaster").find(std::to_string(replica.port())) !=
                   std::string::npos;
        });
        // The first Sentinel of the list is not there.
        client_rig rig(
            "redis://127.0.0.1:" + std::to_string(free_port()) + ",127.0.0.1:" + std::to_string(sentinel.port()),
            [](redis_settings& s) {
                s.sentinel_master = "mymaster";
                s.sentinel_password = "watch";
            });
        rig.connected();
        CHECK(rig.outcome({"SET", "k", "before"}).empty());
        eventually([&] { return replica.cli("GET k") == "before\n"; });
        master.kill();
        rig.until([&] { return !rig.client->up(); });
        rig.until([&] { return rig.client->up() && rig.outcome({"SET", "k", "after"}).empty(); });
        CHECK(replica.cli("GET k") == "after\n");
    }

    TEST_CASE("a failover while the old master lives on moves the client as well") {
        if (!redis_installed()) {
            return;
        }
        redis_server master;
        redis_server replica({"--replicaof", "127.0.0.1 " + std::to_string(master.port())});
        eventually([&] { return replica.cli("INFO replication").find("master_link_status:up") != std::string::npos; });
        redis_server sentinel({}, sentinel_config(master.port()));
        eventually([&] {
            return sentinel.cli("-a watch SENTINEL replicas mymaster").find(std::to_string(replica.port())) !=
                   std::string::npos;
        });
        client_rig rig("redis://127.0.0.1:" + std::to_string(sentinel.port()), [](redis_settings& s) {
            s.sentinel_master = "mymaster";
            s.sentinel_password = "watch";
        });
        rig.connected();
        CHECK(rig.outcome({"SET", "k", "before"}).empty());
        eventually([&] { return sentinel.cli("-a watch SENTINEL failover mymaster") == "OK\n"; });
        rig.until([&] {
            return rig.outcome({"SET", "k", "after"}).empty() && replica.cli("ROLE").starts_with("master") &&
                   replica.cli("GET k") == "after\n";
        });
        CHECK(rig.client->up());
    }

    TEST_CASE("a name that no Sentinel knows is said to be the trouble") {
        if (!redis_installed()) {
            return;
        }
        redis_server master;
        redis_server sentinel({}, sentinel_config(master.port()));
        client_rig rig("redis://127.0.0.1:" + std::to_string(sentinel.port()), [](redis_settings& s) {
            s.sentinel_master = "other";
            s.sentinel_password = "watch";
        });
        rig.until([&] { return !rig.troubles.empty(); });
        CHECK_FALSE(rig.client->up());
    }
}
