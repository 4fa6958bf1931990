// What a server could do that a real one never does, and TLS.
#include "crypto/tls_context.hpp"
#include "tests/support/redis_server.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cstdlib>
#include <string>

namespace net = concurred::net;
using namespace concurred::storage;
using namespace concurred::storage::test;

namespace {

constexpr std::string_view greeting_replies = "+OK\r\n-ERR This instance has cluster support disabled\r\n+PONG\r\n";

/// A server in the test's hands, connected to a client that believes it is Redis.
struct puppet {
    explicit puppet(const std::function<void(redis_settings&)>& change = {})
        : rig("redis://127.0.0.1:" + std::to_string(server.port()), change) {
        rig.until([this] { return server.has_waiting(); });
        peer.emplace(server.accept());
        peer->send(greeting_replies);
        rig.connected();
    }
    net::test::server server;
    client_rig rig;
    std::optional<net::test::peer> peer;
};

}  // namespace

TEST_SUITE("integration/redis_stream") {
    TEST_CASE("replies cut at every octet are the same replies") {
        puppet redis;
        const std::string replies = "$4\r\na\r\nb\r\n*3\r\n:-12\r\n$-1\r\n*1\r\n+in\r\n-OOM full\r\n";
        for (std::size_t cut = 0; cut <= replies.size(); ++cut) {
            CAPTURE(cut);
            std::vector<concurred::base::task<redis_result>> calls;
            for (int i = 0; i < 3; ++i) {
                calls.push_back(redis.rig.client->call("k", "GET", "k"));
            }
            std::vector<net::test::pending<redis_result>> answers(3);
            for (std::size_t i = 0; i < 3; ++i) {
                redis.rig.loop.start(std::move(calls[i]), answers[i]);
            }
            redis.peer->send(std::string_view(replies).substr(0, cut));
            redis.rig.loop.poll();
            redis.peer->send(std::string_view(replies).substr(cut));
            const redis_result text = redis.rig.loop.finish(answers[0]);
            const redis_result array = redis.rig.loop.finish(answers[1]);
            const redis_result error = redis.rig.loop.finish(answers[2]);
            REQUIRE(text.has_value());
            CHECK(text->text() == "a\r\nb");
            REQUIRE(array.has_value());
            CHECK((*array)[0].integer() == -12);
            CHECK((*array)[1].is_nil());
            CHECK((*array)[2][0].text() == "in");
            REQUIRE_FALSE(error.has_value());
            CHECK(error.error().code == redis_errc::oom);
        }
    }

    TEST_CASE("nonsense ends the connection, and what waited fails with it") {
        for (const std::string_view nonsense :
             {"%1\r\n", "HTTP/1.1 400\r\n\r\n", "*2147483647\r\n", "+one\r\n+too many\r\n"}) {
            CAPTURE(nonsense);
            puppet redis;
            net::test::pending<redis_result> answer;
            redis.rig.loop.start(redis.rig.client->call("k", "GET", "k"), answer);
            redis.peer->send(nonsense);
            redis.rig.until([&] { return !redis.rig.troubles.empty(); });
            CHECK(redis.rig.troubles.front() == redis_errc::protocol);
            const redis_result r = redis.rig.loop.finish(answer);
            CHECK((r.has_value() || r.error().code == redis_errc::lost));
        }
    }

    TEST_CASE("a script that Redis does not know waits no longer than one that it knows") {
        puppet redis([](redis_settings& s) { s.command_timeout = std::chrono::milliseconds(300); });
        puppet slow([](redis_settings& s) { s.command_timeout = std::chrono::milliseconds(100); });
        const auto before = redis.rig.client->counters().commands;
        const redis_script script("return 1");
        const std::array<std::string_view, 1> keys{"k"};
        net::test::pending<redis_result> unknown;
        net::test::pending<redis_result> other;
        redis.rig.loop.start(redis.rig.client->eval(script, keys, {}), unknown);
        redis.rig.loop.start(redis.rig.client->call("k", "GET", "k"), other);
        CHECK(slow.rig.outcome({"GET", "k"}) == to_text(redis_errc::timed_out));  // a third of the deadline is over
        redis.peer->send("-NOSCRIPT No matching script.\r\n");
        // Its text goes out behind the other command, and neither is answered: who began first is not let go last.
        redis.rig.loop.run_until([&] { return other.done; });
        redis.rig.loop.poll();
        REQUIRE(unknown.done);
        REQUIRE_FALSE(unknown.value->has_value());
        CHECK(unknown.value->error().code == redis_errc::timed_out);
        CHECK(other.value->error().code == redis_errc::timed_out);
        CHECK(redis.rig.client->counters().commands - before == 3);  // the text was sent
    }

    TEST_CASE("over TLS the server is verified, and its name is") {
        if (!redis_installed()) {
            return;
        }
        scratch_folder folder;
        const std::string certificate = folder.path("cert.pem");
        const std::string key = folder.path("key.pem");
        const std::string make =
            "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=redis -addext "
            "subjectAltName=DNS:localhost -keyout " +
            key + " -out " + certificate + " 2>/dev/null";
        REQUIRE(std::system(make.c_str()) == 0);
        const std::string port = std::to_string(free_port());
        redis_server server({"--tls-port", port, "--tls-cert-file", certificate, "--tls-key-file", key,
                             "--tls-auth-clients", "no", "--tls-ca-cert-file", certificate});
        const auto trusted = concurred::crypto::make_client_tls(certificate);
        const auto untrusted = concurred::crypto::make_client_tls("");
        REQUIRE(trusted.has_value());
        REQUIRE(untrusted.has_value());
        {
            client_rig rig("rediss://localhost:" + port, [&](redis_settings& s) { s.tls = trusted->get(); });
            rig.connected();
            const std::string large(300'000, 'x');
            CHECK(rig.outcome({"SET", "k", large}).empty());
            CHECK(rig.ask({"GET", "k"})->text() == large);
        }
        const auto is_refused = [&](const std::string& url, SSL_CTX* tls) {
            client_rig rig(url, [&](redis_settings& s) { s.tls = tls; });
            rig.until([&] { return !rig.troubles.empty(); });
            return !rig.client->up();
        };
        CHECK(is_refused("rediss://localhost:" + port, untrusted->get()));
        CHECK(is_refused("rediss://127.0.0.1:" + port, trusted->get()));  // the certificate is for the name
    }
}
