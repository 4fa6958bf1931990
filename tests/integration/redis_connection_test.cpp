#include "tests/support/redis_server.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

namespace net = concurred::net;
using namespace concurred::storage;
using namespace concurred::storage::test;
using namespace std::chrono_literals;

TEST_SUITE("integration/redis_connection") {
    TEST_CASE("commands of one turn leave in one write and their replies come back in order") {
        if (!redis_installed()) {
            return;
        }
        redis_server server;
        client_rig rig(server.url());
        rig.connected();
        const auto before = rig.client->counters();
        std::vector<net::test::pending<redis_result>> answers(100);
        // `start` lets the loop run, so all calls are made before.
        std::vector<concurred::base::task<redis_result>> calls;
        for (int i = 0; i < 100; ++i) {
            const std::string text = "text " + std::to_string(i);
            calls.push_back(rig.client->call("", "ECHO", text));
        }
        for (std::size_t i = 0; i < calls.size(); ++i) {
            rig.loop.start(std::move(calls[i]), answers[i]);
        }
        for (std::size_t i = 0; i < calls.size(); ++i) {
            const redis_result r = rig.loop.finish(answers[i]);
            REQUIRE(r.has_value());
            CHECK(r->text() == "text " + std::to_string(i));
        }
        CHECK(rig.client->counters().commands - before.commands == 100);
        CHECK(rig.client->counters().writes - before.writes == 1);
    }

    TEST_CASE("any bytes pass, and an error of one command leaves the others alone") {
        if (!redis_installed()) {
            return;
        }
        redis_server server;
        client_rig rig(server.url());
        rig.connected();
        const std::string binary("\0\r\n$5\xff", 7);
        CHECK(rig.outcome({"SET", "k", binary}).empty());
        CHECK(rig.outcome({"INCR", "k"}) == "refused");
        const redis_result r = rig.ask({"GET", "k"});
        REQUIRE(r.has_value());
        CHECK(r->text() == binary);
        CHECK(rig.ask({"GET", "none"})->is_nil());
    }

    TEST_CASE("user, password, database and name are used, over TCP and over a Unix socket") {
        if (!redis_installed()) {
            return;
        }
        redis_server server({"--user", "gate", "on", ">p:w/@%", "~*", "&*", "+@all", "--requirepass", "other"});
        for (const std::string& url : {"redis://gate:p%3Aw%2F%40%25@127.0.0.1:" + std::to_string(server.port()) + "/3",
                                       "unix://gate:p%3Aw%2F%40%25@" + server.socket_path() + "?db=3"}) {
            CAPTURE(url);
            client_rig rig(url);
            rig.connected();
            const redis_result r = rig.ask({"CLIENT", "INFO"});
            REQUIRE(r.has_value());
            CHECK(r->text().find("name=concurred ") != std::string_view::npos);
            CHECK(r->text().find(" db=3 ") != std::string_view::npos);
            CHECK(r->text().find(" user=gate ") != std::string_view::npos);
        }
    }

    TEST_CASE("a wrong password, a missing one and a missing permission are told apart") {
        if (!redis_installed()) {
            return;
        }
        redis_server server({"--requirepass", "right", "--user", "narrow", "on", ">pw", "~a*", "+get", "+ping"});
        const std::string at = "127.0.0.1:" + std::to_string(server.port());
        const auto trouble_of = [&](const std::string& url) {
            client_rig rig(url);
            rig.until([&] { return !rig.troubles.empty(); });
            CHECK_FALSE(rig.client->up());
            return rig.troubles.front();
        };
        CHECK(trouble_of("redis://:wrong@" + at) == redis_errc::wrongpass);
        CHECK(trouble_of("redis://" + at) == redis_errc::noauth);
        client_rig narrow("redis://narrow:pw@" + at);
        narrow.connected();
        CHECK(narrow.outcome({"GET", "a1"}).empty());
        CHECK(narrow.outcome({"SET", "a1", "x"}) == "noperm");
        CHECK(narrow.client->up());
    }

    TEST_CASE("a killed server fails what waits, is not waited for, and is found again") {
        if (!redis_installed()) {
            return;
        }
        redis_server server;
        client_rig rig(server.url());
        rig.connected();
        CHECK(rig.outcome({"SET", "k", "1"}).empty());
        server.pause();  // so that a command is surely on its way
        net::test::pending<redis_result> waiting;
        rig.loop.start(rig.client->call("k", "GET", "k"), waiting);
        server.kill();
        const redis_result lost = rig.loop.finish(waiting);
        REQUIRE_FALSE(lost.has_value());
        CHECK(lost.error().code == redis_errc::lost);
        CHECK(lost.error().outcome_unknown());
        CHECK(rig.outcome({"GET", "k"}) == "down");
        server.start();
        rig.connected();
        CHECK(rig.outcome({"GET", "k"}).empty());
    }

    TEST_CASE("a paused server costs one deadline, then nothing, and is used again when it goes on") {
        if (!redis_installed()) {
            return;
        }
        redis_server server;
        client_rig rig(server.url(), [](redis_settings& s) {
            s.command_timeout = 200ms;
            s.stall_timeout = 60s;
        });
        rig.connected();
        server.pause();
        CHECK(rig.outcome({"GET", "k"}) == "timed_out");
        const auto sent = rig.client->counters().commands;
        for (int i = 0; i < 1'000; ++i) {
            CHECK(rig.outcome({"GET", "k"}) == "down");
        }
        CHECK(rig.client->counters().commands == sent);
        CHECK(rig.troubles.empty());  // the same connection
        server.resume();
        rig.connected();
        CHECK(rig.outcome({"GET", "k"}).empty());
        CHECK(rig.client->counters().connects == 1);
    }

    TEST_CASE("a server that stays silent is given up, and its greeting is not waited for either") {
        if (!redis_installed()) {
            return;
        }
        redis_server server;
        client_rig rig(server.url(), [](redis_settings& s) {
            s.command_timeout = 50ms;
            s.stall_timeout = 200ms;
            s.connect_timeout = 200ms;
        });
        rig.connected();
        server.pause();
        CHECK(rig.outcome({"GET", "k"}) == "timed_out");
        // The kernel still accepts connections for the stopped process.
        rig.until([&] { return rig.troubles.size() >= 2; });
        CHECK(rig.troubles[0] == redis_errc::timed_out);
        CHECK(rig.troubles[1] == redis_errc::timed_out);
        server.resume();
        rig.connected();
        CHECK(rig.outcome({"SET", "k", "1"}).empty());
    }

    TEST_CASE("a full server refuses writes and stays connected for the rest") {
        if (!redis_installed()) {
            return;
        }
        redis_server server({"--maxmemory", "1"});
        client_rig rig(server.url());
        rig.connected();
        CHECK(rig.outcome({"SET", "k", "v"}) == "oom");
        CHECK(rig.outcome({"EVAL", "return redis.call('SET', KEYS[1], 'x')", "1", "k"}) == "oom");
        CHECK(rig.outcome({"GET", "k"}).empty());
        CHECK(rig.troubles.empty());
    }

    TEST_CASE("a server that has become a replica is left") {
        if (!redis_installed()) {
            return;
        }
        redis_server master;
        redis_server server;
        client_rig rig(server.url());
        rig.connected();
        server.cli("REPLICAOF 127.0.0.1 " + std::to_string(master.port()));
        CHECK(rig.outcome({"SET", "k", "v"}) == "readonly");
        CHECK(rig.troubles.front() == redis_errc::readonly);
    }

    TEST_CASE("a replica that has lost its master and does not serve old data is left") {
        if (!redis_installed()) {
            return;
        }
        redis_server server({"--replica-serve-stale-data", "no"});
        client_rig rig(server.url());
        rig.connected();
        server.cli("REPLICAOF 127.0.0.1 " + std::to_string(free_port()));  // where nobody is
        CHECK(rig.outcome({"GET", "k"}) == "masterdown");
        CHECK(rig.troubles.front() == redis_errc::masterdown);
        server.cli("REPLICAOF NO ONE");
        rig.until([&] { return rig.outcome({"SET", "k", "v"}).empty(); });
    }

    TEST_CASE("a server whose script does not end says so at once, and is used again when it was ended") {
        if (!redis_installed()) {
            return;
        }
        redis_server server({"--busy-reply-threshold", "10"});
        client_rig culprit(server.url());
        client_rig rig(server.url());
        culprit.connected();
        rig.connected();
        CHECK(culprit.outcome({"EVAL", "while true do end", "0"}) == "timed_out");
        rig.until([&] { return rig.outcome({"GET", "k"}) == "busy"; });
        const auto before = rig.client->counters();
        for (int i = 0; i < 10; ++i) {
            CHECK(rig.outcome({"GET", "k"}) == "busy");
        }
        CHECK(rig.client->counters().lost == before.lost);  // it is the server to talk to, only not now
        CHECK(rig.outcome({"SCRIPT", "KILL"}).empty());
        rig.until([&] { return rig.outcome({"GET", "k"}).empty(); });
        culprit.until([&] { return culprit.outcome({"GET", "k"}).empty(); });
    }

    TEST_CASE("a server that is loading its data is not used before it has") {
        if (!redis_installed()) {
            return;
        }
        redis_server server({"--key-load-delay", "2000", "--loading-process-events-interval-bytes", "1024",
                             "--enable-debug-command", "yes"});
        server.cli("CONFIG SET key-load-delay 0");
        server.cli("EVAL \"for i=1,2000 do redis.call('SET', i, string.rep('x', 100)) end\" 0");
        server.cli("SAVE");
        server.kill();
        server.start();
        client_rig rig(server.url(), [](redis_settings& s) { s.connect_timeout = 10s; });
        rig.connected();
        CHECK(std::count(rig.troubles.begin(), rig.troubles.end(), redis_errc::loading) >= 1);
        CHECK(rig.outcome({"GET", "1"}).empty());
    }

    TEST_CASE("what waits is bounded, by number and by bytes") {
        if (!redis_installed()) {
            return;
        }
        redis_server server;
        client_rig rig(server.url(), [](redis_settings& s) {
            s.most_pending = 10;
            s.most_queued_bytes = 1'000;
        });
        rig.connected();
        CHECK(rig.outcome({"SET", "k", std::string(2'000, 'x')}) == "overloaded");
        std::vector<concurred::base::task<redis_result>> calls;
        for (int i = 0; i < 11; ++i) {
            calls.push_back(rig.client->call("k", "GET", "k"));
        }
        const redis_result last = rig.loop.run(std::move(calls.back()));
        REQUIRE_FALSE(last.has_value());
        CHECK(last.error().code == redis_errc::overloaded);
        calls.clear();  // nobody waits for those that were sent: their replies are thrown away
        rig.until([&] { return rig.outcome({"SET", "k", "v"}).empty(); });
        CHECK(rig.ask({"GET", "k"})->text() == "v");
    }

    TEST_CASE("a script that was flushed is sent again") {
        if (!redis_installed()) {
            return;
        }
        redis_server server;
        client_rig rig(server.url());
        rig.connected();
        const redis_script script("return {KEYS[1], ARGV[1]}");
        const std::string_view key = "k";
        const std::string_view argument = "a";
        for (int i = 0; i < 2; ++i) {
            const redis_result r = rig.loop.run(rig.client->eval(script, {&key, 1}, {&argument, 1}));
            REQUIRE(r.has_value());
            CHECK((*r)[0].text() == "k");
            CHECK((*r)[1].text() == "a");
            rig.ask({"SCRIPT", "FLUSH"});
        }
    }
}
