#include "gateway/net/dialer.hpp"

#include "tests/integration/net_loop.hpp"
#include "tests/unit/crypto/tls_fixture.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <memory>
#include <string>

using namespace concurred;
using namespace std::chrono_literals;
using base::errc;
using base::result;
using crypto::test::has;
using net::byte_stream;
using net::test::pending;
using clock_type = std::chrono::steady_clock;

namespace {

struct fixture {
    fixture() {
        auto made = std::make_unique<net::test::scripted_names>(l.executor());
        names = made.get();
        names->known["localhost"] = {"127.0.0.1"};
        resolver.emplace(l.executor(), std::move(made));
    }

    net::dialer& dial_to(const std::string& base_url, SSL_CTX* tls = nullptr, std::chrono::milliseconds timeout = 5s) {
        dialer = net::make_dialer({.executor = l.executor(),
                                   .wheel = l.wheel(),
                                   .resolver = *resolver,
                                   .target = net::parse_url(base_url).value(),
                                   .tls = tls,
                                   .connect_timeout = timeout});
        return *dialer;
    }

    std::string http(const net::test::server& s, const std::string& host = "localhost") {
        return "http://" + host + ":" + std::to_string(s.port());
    }
    std::string https(const net::test::server& s, const std::string& host = "localhost") {
        return "https://" + host + ":" + std::to_string(s.port());
    }

    net::test::loop l;
    net::test::scripted_names* names = nullptr;
    std::optional<net::resolver> resolver;
    std::unique_ptr<net::dialer> dialer;
    http::abort_signal abort;
};

/// Answers one TLS handshake on the next connection of `s`; an empty text if it went well.
std::string serve_handshake(net::test::loop& l, net::test::server& s, SSL_CTX* tls, net::dialer& d,
                            http::abort_signal& abort, result<byte_stream>& dialed) {
    pending<result<byte_stream>> dialing;
    l.start(d.dial(abort), dialing);
    net::tcp_socket accepted(l.executor());
    l.run_until([&] { return s.try_accept(accepted) || dialing.done; });
    byte_stream server(std::move(accepted), crypto::make_server_session(tls).value());
    std::string failure = "unfinished";
    l.run_until([&] {
        if (failure == "unfinished") {
            const net::io_result r = server.try_handshake();
            if (r.status == net::io_status::ok) {
                failure.clear();
            } else if (r.status == net::io_status::closed || r.status == net::io_status::failed) {
                failure = "failed: " + crypto::tls_failure_reason(server.tls());
            }
        }
        return dialing.done && failure != "unfinished";
    });
    dialed = l.finish(dialing);
    return failure;
}

void check_upstream_error(const result<byte_stream>& dialed, errc code, std::string_view text) {
    REQUIRE_FALSE(dialed.has_value());
    CHECK(dialed.error().code == code);
    CHECK(dialed.error().source == base::error_source::upstream);
    CHECK(dialed.error().retry == base::retry_class::safe);
    INFO(dialed.error().message);
    CHECK(has(dialed.error().message, text));
}

}  // namespace

TEST_SUITE("net/dialer") {
    TEST_CASE("a plain connection is made and carries bytes") {
        fixture f;
        net::test::server s;
        auto dialed = f.l.run(f.dial_to(f.http(s)).dial(f.abort));
        REQUIRE(dialed.has_value());
        CHECK_FALSE(dialed->is_tls());
        CHECK(dialed->quiet());
        auto peer = s.accept();
        peer.send("hello");
        CHECK_FALSE(dialed->quiet());
    }

    TEST_CASE("an address needs no lookup") {
        fixture f;
        net::test::server s;
        CHECK(f.l.run(f.dial_to(f.http(s, "127.0.0.1")).dial(f.abort)).has_value());
        CHECK(f.names->lookups == 0);
    }

    TEST_CASE("U-01 a refused connection is told at once and may be retried") {
        fixture f;
        net::test::server s;
        auto& d = f.dial_to(f.http(s));
        s.close();
        const auto began = clock_type::now();
        check_upstream_error(f.l.run(d.dial(f.abort)), errc::upstream_error, "refused the connection");
        CHECK(clock_type::now() - began < 1s);
    }

    TEST_CASE("U-03 a name that cannot be resolved is told apart") {
        fixture f;
        check_upstream_error(f.l.run(f.dial_to("http://nowhere").dial(f.abort)), errc::upstream_error,
                             "could not be resolved");
    }

    TEST_CASE("U-03 the next address is tried when one refuses") {
        fixture f;
        net::test::server s("127.0.0.3");
        f.names->known["many"] = {"127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.0.4"};
        const auto dialed = f.l.run(f.dial_to(f.http(s, "many")).dial(f.abort));
        CHECK(dialed.has_value());
    }

    TEST_CASE("U-03 a lookup that hangs ends with the deadline, or with the addresses known before") {
        fixture f;
        net::test::server s;
        f.names->hold = true;
        check_upstream_error(f.l.run(f.dial_to(f.http(s), nullptr, 200ms).dial(f.abort)), errc::upstream_timeout,
                             "could not be resolved within 200 ms");
        f.names->release();
        f.l.poll();

        // Fresh for no time at all: it must be looked up again, and that hangs.
        auto made = std::make_unique<net::test::scripted_names>(f.l.executor());
        auto& names = *made;
        names.known["localhost"] = {"127.0.0.1"};
        net::resolver forgetful(f.l.executor(), std::move(made), {.fresh = 0s});
        const auto d = net::make_dialer({.executor = f.l.executor(),
                                         .wheel = f.l.wheel(),
                                         .resolver = forgetful,
                                         .target = net::parse_url(f.http(s)).value(),
                                         .connect_timeout = 600ms});
        CHECK(f.l.run(d->dial(f.abort)).has_value());
        names.hold = true;
        CHECK(f.l.run(d->dial(f.abort)).has_value());
        CHECK(names.lookups == 2);
        names.release();
        f.l.poll();
    }

    TEST_CASE("U-02 a connection that hangs ends with the deadline, never before it") {
        fixture f;
        net::test::server s;
        s.fill_backlog();
        const auto began = clock_type::now();
        check_upstream_error(f.l.run(f.dial_to(f.http(s), nullptr, 200ms).dial(f.abort)), errc::upstream_timeout,
                             "did not accept a connection within 200 ms (connect_timeout)");
        CHECK(clock_type::now() - began >= 200ms);
    }

    TEST_CASE("U-29 an address that hangs leaves time for the next one") {
        fixture f;
        net::test::server dead;
        dead.fill_backlog();
        net::test::server alive("127.0.0.2", dead.port());
        f.names->known["half"] = {"127.0.0.1", "127.0.0.2"};
        CHECK(f.l.run(f.dial_to(f.http(dead, "half"), nullptr, 800ms).dial(f.abort)).has_value());
    }

    TEST_CASE("a connection under TLS is shaken hands and verified") {
        fixture f;
        net::test::server s;
        const crypto::test::tls_fixture tls;
        const auto client = tls.client();
        const auto server = tls.server_for(crypto::test::localhost);
        for (const std::string host : {"localhost", "127.0.0.1"}) {
            result<byte_stream> dialed = base::error();
            CHECK(serve_handshake(f.l, s, server.get(), f.dial_to(f.https(s, host), client.get()), f.abort, dialed) ==
                  "");
            REQUIRE(dialed.has_value());
            CHECK(dialed->is_tls());
            CHECK(SSL_get_verify_result(dialed->tls()) == X509_V_OK);
        }
    }

    TEST_CASE("U-05 a certificate that is not right is refused, with the reason, and never accepted after all") {
        using crypto::test::make_identity;
        fixture f;
        net::test::server s;
        const crypto::test::tls_fixture tls;
        const auto client = tls.client();
        const auto other_ca = make_identity({.common_name = "Other CA", .alt_names = "", .is_ca = true});
        crypto::test::certificate_request expired = crypto::test::localhost;
        expired.valid_until = -60s;
        struct row {
            const char* what;
            crypto::ssl_ctx_handle server;
            const char* host;
            const char* reason;
        };
        std::array<row, 5> rows{{
            {"wrong name", tls.server_for({.common_name = "localhost", .alt_names = "DNS:other.example"}), "localhost",
             "hostname mismatch"},
            {"wrong address", tls.server_for({.common_name = "localhost", .alt_names = "DNS:localhost"}), "127.0.0.1",
             "IP address mismatch"},
            {"self-signed", tls.server_of(make_identity(crypto::test::localhost)), "localhost",
             "self-signed certificate"},
            {"unknown CA", tls.server_of(make_identity(crypto::test::localhost, &other_ca)), "localhost",
             "unable to get local issuer certificate"},
            {"expired", tls.server_for(expired), "localhost", "certificate has expired"},
        }};
        for (const row& r : rows) {
            INFO(r.what);
            result<byte_stream> dialed = base::error();
            const std::string at_server =
                serve_handshake(f.l, s, r.server.get(), f.dial_to(f.https(s, r.host), client.get()), f.abort, dialed);
            check_upstream_error(dialed, errc::upstream_error, std::string("certificate refused: ") + r.reason);
            CHECK(dialed.error().message.starts_with("The TLS handshake with the provider failed: "));
            CHECK_FALSE(s.has_waiting());
        }
    }

    TEST_CASE("U-05 a server that only speaks an old TLS is refused") {
        fixture f;
        net::test::server s;
        const crypto::test::tls_fixture tls;
        const auto client = tls.client();
        const auto server = tls.server_for(crypto::test::localhost);
        SSL_CTX_set_security_level(server.get(), 0);
        SSL_CTX_set_min_proto_version(server.get(), TLS1_VERSION);
        SSL_CTX_set_max_proto_version(server.get(), TLS1_1_VERSION);
        result<byte_stream> dialed = base::error();
        CHECK(serve_handshake(f.l, s, server.get(), f.dial_to(f.https(s), client.get()), f.abort, dialed) != "");
        check_upstream_error(dialed, errc::upstream_error, "TLS handshake with the provider failed: ");
    }

    TEST_CASE("U-06 a handshake that stalls ends with the deadline") {
        fixture f;
        net::test::server s;
        const crypto::test::tls_fixture tls;
        const auto client = tls.client();
        check_upstream_error(f.l.run(f.dial_to(f.https(s), client.get(), 200ms).dial(f.abort)), errc::upstream_timeout,
                             "did not finish the TLS handshake within 200 ms (connect_timeout)");
        CHECK(s.accept().read_to_end().size() > 100);  // the client's hello, then the end
    }

    TEST_CASE("U-06 a handshake that is answered with something else fails") {
        fixture f;
        net::test::server s;
        const crypto::test::tls_fixture tls;
        const auto client = tls.client();
        auto& d = f.dial_to(f.https(s), client.get());
        enum class reply { close, reset, plain_http };
        for (const reply how : {reply::close, reply::reset, reply::plain_http}) {
            pending<result<byte_stream>> dialing;
            f.l.start(d.dial(f.abort), dialing);
            f.l.run_until([&] { return s.has_waiting(); });
            auto peer = s.accept();
            if (how == reply::plain_http) {
                peer.send("HTTP/1.1 400 Bad Request\r\n\r\n");
            } else if (how == reply::reset) {
                peer.reset();
            } else {
                peer.shutdown_send();
            }
            check_upstream_error(f.l.finish(dialing), errc::upstream_error, "TLS handshake with the provider failed: ");
        }
    }

    TEST_CASE("U-30 a client that goes away ends every phase within a turn") {
        fixture f;
        net::test::server s;
        const crypto::test::tls_fixture tls;
        const auto client = tls.client();
        enum class phase { lookup, connect, handshake };
        for (const phase at : {phase::handshake, phase::lookup, phase::connect}) {
            f.abort.reset();
            f.names->hold = at == phase::lookup;
            if (at == phase::connect) {
                s.fill_backlog();
            }
            const std::string host = at == phase::lookup ? "elsewhere" : "localhost";
            pending<result<byte_stream>> dialing;
            f.l.start(f.dial_to(f.https(s, host), client.get()).dial(f.abort), dialing);
            if (at == phase::handshake) {
                f.l.run_until([&] { return s.has_waiting(); });
                f.l.poll();
            }
            CHECK_FALSE(dialing.done);
            f.abort.fire(http::abort_reason::client_gone);
            f.l.poll();
            REQUIRE(dialing.done);
            CHECK(f.l.finish(dialing).error().code == errc::client_gone);
            if (at == phase::handshake) {
                CHECK_FALSE(has(s.accept().read_to_end(), "<reset>"));
            }
            f.names->release();
            f.l.poll();
        }
    }

    TEST_CASE("nothing is dialed for a client that is gone already, nor when the process ends") {
        fixture f;
        net::test::server s;
        auto& d = f.dial_to(f.http(s));
        f.abort.fire(http::abort_reason::client_gone);
        CHECK(f.l.run(d.dial(f.abort)).error().code == errc::client_gone);
        f.abort.reset();
        f.abort.fire(http::abort_reason::drain_deadline);
        CHECK(f.l.run(d.dial(f.abort)).error().code == errc::service_unavailable);
        CHECK_FALSE(s.has_waiting());
        CHECK(f.names->lookups == 0);
    }
}
