#include "storage/redis_url.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace concurred::storage;
using transport = redis_url::transport;

TEST_SUITE("storage/redis_url") {
    TEST_CASE("the parts of a URL are found, and percent-encoded ones decoded") {
        const auto url = parse_redis_url("redis://ga%74e:p%40ss%3Aword%2F%25@cache.example:6380/5").value();
        CHECK(url.via == transport::tcp);
        CHECK(url.user == "gate");
        CHECK(url.password == "p@ss:word/%");
        CHECK(url.hosts == std::vector<redis_address>{{"cache.example", 6380}});
        CHECK(url.database == 5);
    }

    TEST_CASE("ports, user and database have defaults, and a password may come alone") {
        const auto url = parse_redis_url("rediss://:secret@[2001:db8::1]").value();
        CHECK(url.via == transport::tls);
        CHECK(url.user.empty());
        CHECK(url.password == "secret");
        CHECK(url.hosts == std::vector<redis_address>{{"2001:db8::1", 6379}});
        CHECK(url.database == 0);
    }

    TEST_CASE("several hosts are a list, with the port of Sentinels where they are Sentinels") {
        CHECK(parse_redis_url("redis://a,b:7000,[::1]:7001/2").value().hosts ==
              std::vector<redis_address>{{"a", 6379}, {"b", 7000}, {"::1", 7001}});
        CHECK(parse_redis_url("redis://a,b:7000", true).value().hosts ==
              std::vector<redis_address>{{"a", 26379}, {"b", 7000}});
    }

    TEST_CASE("a Unix socket has a path, and its database in the query") {
        const auto url = parse_redis_url("unix://user:pw@/run/redis/s.sock?db=9").value();
        CHECK(url.via == transport::unix_socket);
        CHECK(url.hosts.front().host == "/run/redis/s.sock");
        CHECK(url.user == "user");
        CHECK(url.database == 9);
    }

    TEST_CASE("what is wrong is named, and the text, which holds a password, is not repeated") {
        for (const std::string text : {"", "localhost:6379", "http://h", "redis://", "redis://h:0", "redis://h:65536",
                                       "redis://h:12x", "redis://a,,b", "redis://hunter2%zz@h", "redis://u:hunter2%4@h",
                                       "redis://user@h", "redis://h/x", "redis://h/1/2", "redis://[::1", "redis://h h",
                                       "unix://relative", "unix:///p?database=1", "redis://:hunter2@h:port"}) {
            CAPTURE(text);
            const auto url = parse_redis_url(text);
            REQUIRE_FALSE(url.has_value());
            CHECK(url.error().message.find("hunter2") == std::string::npos);
            CHECK(url.error().message.size() > 20);
        }
        CHECK_FALSE(parse_redis_url("unix:///s", true).has_value());
    }
}
