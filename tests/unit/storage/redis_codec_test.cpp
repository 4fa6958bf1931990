#include "storage/redis_codec.hpp"
#include "storage/redis_error.hpp"
#include "storage/redis_slots.hpp"

#include <hiredis/hiredis.h>

#include <doctest/doctest.h>

#include <array>
#include <string>

using namespace concurred::storage;
using kind = redis_value::kind;

namespace {

redis_reply read(std::string_view bytes) {
    redis_reader reader;
    REQUIRE(reader.feed(bytes));
    auto reply = reader.next();
    REQUIRE(reply.has_value());
    return std::move(*reply);
}

}  // namespace

TEST_SUITE("storage/redis_codec") {
    TEST_CASE("each kind of reply is read as what it is, whatever the cut between two feeds") {
        // Forms: RESP protocol specification of redis.io.
        const std::string bytes = "+OK\r\n-ERR no\r\n:-42\r\n$3\r\na\r\n\r\n$-1\r\n*2\r\n$0\r\n\r\n*1\r\n:7\r\n*-1\r\n";
        for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
            redis_reader reader;
            std::vector<redis_reply> replies;
            const std::string_view whole = bytes;
            for (const std::string_view part : {whole.substr(0, cut), whole.substr(cut)}) {
                REQUIRE(reader.feed(part));
                while (auto reply = reader.next()) {
                    replies.push_back(std::move(*reply));
                }
            }
            REQUIRE(replies.size() == 7);
            CHECK(replies[0].type() == kind::status);
            CHECK(replies[0].text() == "OK");
            CHECK(replies[1].is_error());
            CHECK(replies[1].text() == "ERR no");
            CHECK(replies[2].integer() == -42);
            CHECK(replies[3].text() == "a\r\n");
            CHECK(replies[4].is_nil());
            CHECK(replies[5].size() == 2);
            CHECK(replies[5][0].text().empty());
            CHECK(replies[5][0].type() == kind::text);
            CHECK(replies[5][1][0].integer() == 7);
            CHECK(replies[6].is_nil());
        }
    }

    TEST_CASE("a value read as another kind is empty") {
        const redis_reply number = read(":5\r\n");
        CHECK(number.text().empty());
        CHECK(number.size() == 0);
        CHECK(number[3].is_nil());
        CHECK(read("$1\r\nx\r\n").integer() == 0);
        CHECK(redis_value().is_nil());
    }

    TEST_CASE("RESP3, text of another protocol and huge arrays are errors, and errors are final") {
        for (const std::string_view bytes : {"%1\r\n", ">2\r\n", "_\r\n", "HTTP/1.1 200\r\n", "*2147483647\r\n"}) {
            redis_reader reader;
            static_cast<void>(reader.feed(bytes));
            CHECK_FALSE(reader.next());
            CHECK(reader.failed());
            CHECK_FALSE(reader.feed("+OK\r\n"));
            CHECK_FALSE(reader.next());
        }
    }

    TEST_CASE("a reply that is announced longer than is allowed is not collected") {
        redis_reader reader(1'000);
        REQUIRE(reader.feed("$9223372036854775807\r\n"));
        CHECK_FALSE(reader.next());
        bool fed = true;
        for (int i = 0; i < 100 && fed; ++i) {
            fed = reader.feed(std::string(100, 'x'));
            CHECK_FALSE(reader.next());
        }
        CHECK_FALSE(fed);
        // Many small replies are no such thing.
        redis_reader patient(1'000);
        for (int i = 0; i < 100; ++i) {
            REQUIRE(patient.feed("$20\r\n01234567890123456789\r\n"));
            CHECK(patient.next());
        }
    }

    TEST_CASE("a command is written as hiredis writes it") {
        const std::array<std::string_view, 4> words{"SET", std::string_view("k\0\r\n", 4), "", "value"};
        std::array<const char*, 4> texts{};
        std::array<std::size_t, 4> sizes{};
        for (std::size_t i = 0; i < words.size(); ++i) {
            texts[i] = words[i].data();
            sizes[i] = words[i].size();
        }
        char* expected = nullptr;
        const int length = redisFormatCommandArgv(&expected, 4, texts.data(), sizes.data());
        std::string written;
        append_redis_command(written, words);
        CHECK(written == std::string(expected, static_cast<std::size_t>(length)));
        redisFreeCommand(expected);
    }

    TEST_CASE("error replies are told apart by their first word") {
        CHECK(redis_error_kind("LOADING Redis is loading the dataset in memory") == redis_errc::loading);
        CHECK(redis_error_kind("READONLY You can't write against a read only replica.") == redis_errc::readonly);
        CHECK(redis_error_kind("NOAUTH Authentication required.") == redis_errc::noauth);
        CHECK(redis_error_kind("WRONGPASS invalid username-password pair or user is disabled.") ==
              redis_errc::wrongpass);
        CHECK(redis_error_kind("NOPERM this user has no permissions to run the 'set' command") == redis_errc::noperm);
        CHECK(redis_error_kind("OOM command not allowed when used memory > 'maxmemory'.") == redis_errc::oom);
        CHECK(redis_error_kind("MASTERDOWN Link with MASTER is down") == redis_errc::masterdown);
        CHECK(redis_error_kind("TRYAGAIN Multiple keys request during rehashing of slot") == redis_errc::tryagain);
        CHECK(redis_error_kind("CLUSTERDOWN Hash slot not served") == redis_errc::clusterdown);
        CHECK(redis_error_kind("CROSSSLOT Keys in request don't hash to the same slot") == redis_errc::crossslot);
        CHECK(redis_error_kind("NOSCRIPT No matching script. Please use EVAL.") == redis_errc::noscript);
        CHECK(redis_error_kind("BUSY Redis is busy running a script.") == redis_errc::busy);
        CHECK(redis_error_kind("ERR Error running script: @user_script:1: -OOM command not allowed") ==
              redis_errc::oom);
        CHECK(redis_error_kind("ERR unknown command") == redis_errc::refused);
        CHECK(redis_error_kind("") == redis_errc::refused);
    }

    TEST_CASE("redirections are read, also to IPv6 and to the same host") {
        const auto moved = parse_redis_redirect("MOVED 3999 127.0.0.1:6381");
        REQUIRE(moved.has_value());
        CHECK(moved->slot == 3999);
        CHECK(moved->host == "127.0.0.1");
        CHECK(moved->port == 6381);
        CHECK(parse_redis_redirect("ASK 1 ::1:6381")->host == "::1");
        CHECK(parse_redis_redirect("MOVED 1 :6381")->host.empty());
        for (const std::string_view text :
             {"MOVED", "MOVED 1", "MOVED 16384 h:1", "MOVED x h:1", "MOVED 1 h:0", "MOVED 1 h"}) {
            CAPTURE(text);
            CHECK_FALSE(parse_redis_redirect(text));
        }
    }

    TEST_CASE("slots are those of the cluster specification") {
        CHECK(redis_slot("123456789") == 12739);
        CHECK(redis_slot("key_abc123") == 9402);
        CHECK(redis_slot("gw:{key_abc123}:rpm") == 9402);
        CHECK(redis_slot("{key_abc123}{other}") == 9402);
        CHECK(redis_slot("foo{}{bar}") == redis_slot("foo{}{bar}"));
        CHECK(redis_slot("foo{}{bar}") != redis_slot("bar"));  // an empty tag is none
        CHECK(redis_slot("foo{{bar}}zap") == redis_slot("{bar"));
        CHECK(redis_slot("") == 0);
    }

    TEST_CASE("the map of slots is taken whole or not at all") {
        redis_slot_map map;
        CHECK(map.owner(0) == nullptr);
        const std::string reply =
            "*2\r\n*3\r\n:0\r\n:99\r\n*2\r\n$0\r\n\r\n:7000\r\n*3\r\n:100\r\n:16383\r\n*2\r\n$3\r\nb.c\r\n:7001\r\n";
        CHECK(map.load(read(reply), {"a", 1}));
        REQUIRE(map.owner(99) != nullptr);
        CHECK(*map.owner(99) == redis_address{"a", 7000});
        CHECK(*map.owner(100) == redis_address{"b.c", 7001});
        CHECK(map.masters().size() == 2);
        CHECK_FALSE(map.load(read("*1\r\n*3\r\n:0\r\n:16384\r\n*2\r\n$1\r\nx\r\n:7000\r\n"), {"a", 1}));
        CHECK_FALSE(map.load(read("-ERR no cluster\r\n"), {"a", 1}));
        CHECK(*map.owner(99) == redis_address{"a", 7000});
        map.move(5, {"c", 7002});
        CHECK(*map.owner(5) == redis_address{"c", 7002});
        CHECK(*map.owner(6) == redis_address{"a", 7000});
    }
}
