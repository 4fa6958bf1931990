#include "crypto/tls_context.hpp"

#include "tests/unit/crypto/tls_fixture.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <string_view>

using namespace concurred;
using crypto::ssl_ctx_handle;
using crypto::test::certificate_request;
using crypto::test::connection;
using crypto::test::has;
using crypto::test::identity;
using crypto::test::localhost;
using crypto::test::tls_fixture;

TEST_SUITE("crypto/tls_verification") {
    TEST_CASE_FIXTURE(tls_fixture, "a client trusts a server whose certificate comes from its CA and names the host") {
        const ssl_ctx_handle server = server_for(localhost);
        const ssl_ctx_handle client_context = client();
        for (const char* host :
             {"localhost", "LOCALHOST", "localhost.", "api.example.com", "127.0.0.1", "::1", "[::1]"}) {
            CAPTURE(host);
            connection c(client_context, server, host);
            CHECK(c.outcome.client_failure == "");
            CHECK(c.outcome.server_failure == "");
            CHECK(SSL_version(c.client.get()) == TLS1_3_VERSION);
            CHECK(crypto::test::pass(c.client.get(), c.server.get(), "GET / HTTP/1.1") == "GET / HTTP/1.1");
            CHECK(crypto::test::pass(c.server.get(), c.client.get(), "HTTP/1.1 200 OK") == "HTTP/1.1 200 OK");
        }
    }

    TEST_CASE_FIXTURE(tls_fixture, "a client sends the host's name, and none for an address") {
        struct row {
            const char* host;
            const char* sent;
        };
        const ssl_ctx_handle server = server_for(localhost);
        const ssl_ctx_handle client_context = client();
        for (const row& r : {row{"localhost", "localhost"}, row{"api.example.com.", "api.example.com"},
                             row{"127.0.0.1", nullptr}, row{"[::1]", nullptr}}) {
            CAPTURE(r.host);
            connection c(client_context, server, r.host);
            REQUIRE(c.outcome.both_done());
            const char* sent = SSL_get_servername(c.server.get(), TLSEXT_NAMETYPE_host_name);
            CHECK((sent != nullptr ? std::string(sent) : "none") == (r.sent != nullptr ? r.sent : "none"));
        }
    }

    TEST_CASE_FIXTURE(tls_fixture, "a client refuses a certificate for another host") {
        const ssl_ctx_handle server = server_for(localhost);
        const ssl_ctx_handle client_context = client();
        for (const char* host : {"example.com", "a.b.example.com", "localhost.evil.test", "127.0.0.2", "::2"}) {
            CAPTURE(host);
            connection c(client_context, server, host);
            CHECK(has(c.outcome.client_failure, "certificate refused: "));
            CHECK(has(c.outcome.client_failure, "mismatch"));
            CHECK_FALSE(c.outcome.server_failure.empty());
        }
    }

    TEST_CASE_FIXTURE(tls_fixture, "a client does not take the subject's common name for a host name") {
        const ssl_ctx_handle server = server_for({.common_name = "localhost", .alt_names = ""});
        connection c(client(), server);
        CHECK(has(c.outcome.client_failure, "hostname mismatch"));
    }

    TEST_CASE_FIXTURE(tls_fixture, "a client refuses what its CAs did not sign") {
        SUBCASE("another CA") {
            const identity other =
                crypto::test::make_identity({.common_name = "Other CA", .alt_names = "", .is_ca = true});
            const ssl_ctx_handle server = server_of(crypto::test::make_identity(localhost, &other));
            connection c(client(), server);
            CHECK(has(c.outcome.client_failure, "certificate refused: "));
            CHECK(has(c.outcome.client_failure, "issuer"));
        }
        SUBCASE("self-signed") {
            const ssl_ctx_handle server = server_of(crypto::test::make_identity(localhost));
            connection c(client(), server);
            CHECK(has(c.outcome.client_failure, "self-signed"));
        }
        SUBCASE("the CA known, but only the system's roots configured") {
            const ssl_ctx_handle server = server_for(localhost);
            connection c(crypto::make_client_tls("").value(), server);
            CHECK(has(c.outcome.client_failure, "certificate refused: "));
        }
    }

    TEST_CASE_FIXTURE(tls_fixture, "a client trusts a self-signed certificate that is configured itself") {
        const identity self = crypto::test::make_identity(localhost);
        const ssl_ctx_handle server = server_of(self);
        const std::string file = folder.write_certificate("self.pem", self.certificate.get());
        connection c(crypto::make_client_tls(file).value(), server);
        CHECK(c.outcome.client_failure == "");
    }

    TEST_CASE_FIXTURE(tls_fixture, "a client refuses certificates out of their time and weak keys") {
        using namespace std::chrono_literals;
        certificate_request request = localhost;
        SUBCASE("expired") {
            request.valid_from = -48h;
            request.valid_until = -1h;
            connection c(client(), server_for(request));
            CHECK(has(c.outcome.client_failure, "expired"));
        }
        SUBCASE("not valid yet") {
            request.valid_from = 1h;
            connection c(client(), server_for(request));
            CHECK(has(c.outcome.client_failure, "not yet valid"));
        }
        SUBCASE("RSA of 1024 bits") {
            request.rsa_bits = 1024;
            const identity weak = crypto::test::make_identity(request, &ca);
            const ssl_ctx_handle server(SSL_CTX_new(TLS_server_method()));
            SSL_CTX_set_security_level(server.get(), 0);
            REQUIRE(SSL_CTX_use_certificate(server.get(), weak.certificate.get()) == 1);
            REQUIRE(SSL_CTX_use_PrivateKey(server.get(), weak.key.get()) == 1);
            connection c(client(), server);
            CHECK(has(c.outcome.client_failure, "key too"));
        }
    }

    TEST_CASE_FIXTURE(tls_fixture, "a client session needs a host") {
        const ssl_ctx_handle context = client();
        for (const std::string_view host :
             {std::string_view(""), std::string_view("."), std::string_view("[]"), std::string_view(".example.com"),
              std::string_view("a\0.example.com", 14)}) {
            CAPTURE(host);
            CHECK(crypto::make_client_session(context.get(), host).has_error());
        }
        CHECK(crypto::make_client_session(context.get(), std::string(300, 'a')).has_error());
    }
}
