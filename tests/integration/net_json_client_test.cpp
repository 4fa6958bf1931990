#include "gateway/net/json_client.hpp"

#include "tests/integration/net_loop.hpp"

#include <doctest/doctest.h>
#include <boost/asio/read.hpp>

#include <array>
#include <chrono>
#include <optional>
#include <string>

using namespace concurred;
using namespace std::chrono_literals;
using base::errc;
using base::result;
using net::json_reply;
using net::json_request;
using net::test::pending;

namespace {

struct fixture {
    explicit fixture(const std::string& path = "") {
        client.emplace(net::json_client::params{
            .executor = l.executor(),
            .wheel = l.wheel(),
            .resolver = resolver,
            .target = net::parse_url("http://127.0.0.1:" + std::to_string(server.port()) + path).value()});
    }

    /// Starts a call and takes its connection.
    net::test::peer start(pending<result<json_reply>>& into, const json_request& request) {
        l.start(client->call(request), into);
        l.run_until([this] { return server.has_waiting(); });
        return server.accept();
    }

    /// Reads one request, up to and with a body of `body` octets.
    std::string read_request(net::test::peer& peer, std::size_t body = 0) {
        std::string all;
        std::array<char, 1> one;
        while (!all.ends_with("\r\n\r\n")) {
            l.poll();
            boost::system::error_code ec;
            peer.socket().non_blocking(true);
            if (peer.socket().read_some(boost::asio::buffer(one), ec) == 1) {
                all.push_back(one[0]);
            } else if (ec != boost::asio::error::would_block) {
                return all + "<end>";
            }
        }
        peer.socket().non_blocking(false);
        std::string rest(body, ' ');
        boost::asio::read(peer.socket(), boost::asio::buffer(rest));
        return all + rest;
    }

    net::test::loop l;
    net::test::server server;
    net::resolver resolver{l.executor()};
    std::optional<net::json_client> client;
};

constexpr std::string_view small_answer =
    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nCache-Control: public, max-age=600\r\nContent-Length: "
    "11\r\n\r\n{\"ok\":true}";

}  // namespace

TEST_SUITE("net/json_client") {
    TEST_CASE("a request has its path below the URL's, its headers and its body, and the answer comes whole") {
        fixture f("/base");
        pending<result<json_reply>> p;
        auto peer = f.start(p, {.path = "/v2/keys.verifyKey", .headers = "Authorization: Bearer r\r\n", .body = "{}"});
        const std::string sent = f.read_request(peer, 2);
        CHECK(sent.starts_with("POST /base/v2/keys.verifyKey HTTP/1.1\r\nHost: 127.0.0.1:"));
        CHECK(sent.find("\r\nAuthorization: Bearer r\r\n") != std::string::npos);
        CHECK(sent.ends_with("\r\nContent-Length: 2\r\n\r\n{}"));
        peer.send(small_answer);
        const auto reply = f.l.finish(p);
        REQUIRE(reply.has_value());
        CHECK(reply->status == 200);
        CHECK(reply->body == "{\"ok\":true}");
        CHECK(reply->content_type == "application/json");
        CHECK(reply->cache_control == "public, max-age=600");
        CHECK(f.client->counts().idle == 1);
    }

    TEST_CASE("an answer in chunks that come octet by octet is put together, and the connection is used again") {
        fixture f;
        pending<result<json_reply>> p;
        auto peer = f.start(p, {.method = boost::beast::http::verb::get, .path = "/jwks.json"});
        const std::string sent = f.read_request(peer);
        CHECK(sent.starts_with("GET /jwks.json HTTP/1.1\r\n"));
        CHECK(sent.find("Content-Length") == std::string::npos);
        for (const char c : std::string(
                 "HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")) {
            peer.send({&c, 1});
            f.l.poll();
        }
        const auto reply = f.l.finish(p);
        REQUIRE(reply.has_value());
        CHECK(reply->status == 404);
        CHECK(reply->body == "abcde");

        pending<result<json_reply>> again;
        f.l.start(f.client->call({.path = "/x"}), again);
        CHECK(f.read_request(peer).starts_with("POST /x "));
        peer.send(small_answer);
        CHECK(f.l.finish(again).has_value());
        CHECK(f.client->counts().dialed == 1);
    }

    TEST_CASE("a kept connection that turns out to be dead is replaced, unless the call may not be repeated") {
        fixture f;
        pending<result<json_reply>> p;
        auto peer = f.start(p, {.path = "/1"});
        static_cast<void>(f.read_request(peer));
        peer.send(small_answer);
        CHECK(f.l.finish(p).has_value());

        SUBCASE("repeatable") {
            pending<result<json_reply>> again;
            f.l.start(f.client->call({.path = "/2"}), again);
            CHECK(f.read_request(peer).starts_with("POST /2 "));
            peer.close();  // without an answer
            f.l.run_until([&f] { return f.server.has_waiting(); });
            auto second = f.server.accept();
            CHECK(f.read_request(second).starts_with("POST /2 "));
            second.send(small_answer);
            CHECK(f.l.finish(again).has_value());
        }
        SUBCASE("not repeatable: has a connection of its own from the beginning") {
            pending<result<json_reply>> once;
            auto second = f.start(once, {.path = "/2", .repeatable = false});
            CHECK(f.read_request(second).starts_with("POST /2 "));
            second.close();
            const auto reply = f.l.finish(once);
            REQUIRE_FALSE(reply.has_value());
            CHECK(reply.error().code == errc::upstream_error);
            CHECK(reply.error().retry == base::retry_class::never);
            CHECK_FALSE(f.server.has_waiting());
        }
    }

    TEST_CASE("nobody waits longer than the deadline, wherever the service hangs") {
        fixture f;
        pending<result<json_reply>> p;
        SUBCASE("before the answer") {
            auto peer = f.start(p, {.path = "/", .deadline = 100ms});
            const auto reply = f.l.finish(p);
            REQUIRE_FALSE(reply.has_value());
            CHECK(reply.error().code == errc::upstream_timeout);
        }
        SUBCASE("within the answer") {
            auto peer = f.start(p, {.path = "/", .deadline = 100ms});
            peer.send(small_answer.substr(0, small_answer.size() - 1));
            const auto reply = f.l.finish(p);
            REQUIRE_FALSE(reply.has_value());
            CHECK(reply.error().code == errc::upstream_timeout);
        }
        SUBCASE("at the connection") {
            f.server.fill_backlog();
            const auto reply = f.l.run(f.client->call({.path = "/", .deadline = 100ms}));
            REQUIRE_FALSE(reply.has_value());
            CHECK(reply.error().code == errc::upstream_timeout);
            CHECK(reply.error().retry == base::retry_class::safe);
        }
    }

    TEST_CASE("an answer that is too large, not HTTP, encoded or cut is an error, never a reply") {
        fixture f;
        pending<result<json_reply>> p;
        auto peer = f.start(p, {.path = "/", .most_bytes = 10});
        SUBCASE("too large") {
            peer.send(small_answer);
        }
        SUBCASE("not HTTP") {
            peer.send("SSH-2.0-OpenSSH_9.2\r\n");
        }
        SUBCASE("encoded") {
            peer.send("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}");
        }
        SUBCASE("cut") {
            peer.send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}");
            peer.close();
        }
        const auto reply = f.l.finish(p);
        REQUIRE_FALSE(reply.has_value());
        CHECK(reply.error().code == errc::upstream_error);
    }

    TEST_CASE("stopping ends calls under way and lets no other begin") {
        fixture f;
        pending<result<json_reply>> p;
        auto peer = f.start(p, {.path = "/"});
        f.client->stop();
        const auto reply = f.l.finish(p);
        REQUIRE_FALSE(reply.has_value());
        CHECK(reply.error().code == errc::service_unavailable);
        CHECK_FALSE(f.l.run(f.client->call({.path = "/"})).has_value());
    }
}
