#include "crypto/tls_context.hpp"

#include "tests/unit/crypto/tls_fixture.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>

using namespace concurred;
using crypto::ssl_ctx_handle;
using crypto::ssl_handle;
using crypto::test::careless_client;
using crypto::test::certificate_request;
using crypto::test::connection;
using crypto::test::has;
using crypto::test::identity;
using crypto::test::localhost;
using crypto::test::tls_fixture;

TEST_SUITE("crypto/tls_context") {
    TEST_CASE_FIXTURE(tls_fixture, "TLS 1.1 is refused by both sides") {
        SUBCASE("by the server") {
            const ssl_ctx_handle server = server_for(localhost);
            const ssl_ctx_handle old(SSL_CTX_new(TLS_client_method()));
            SSL_CTX_set_max_proto_version(old.get(), TLS1_1_VERSION);
            SSL_CTX_set_min_proto_version(old.get(), TLS1_1_VERSION);
            connection c(careless_client(old.get()), crypto::make_server_session(server.get()).value());
            CHECK(has(c.outcome.server_failure, "unsupported protocol"));
            CHECK(has(c.outcome.client_failure, "alert protocol version"));
        }
        SUBCASE("by the client") {
            const identity id = crypto::test::make_identity(localhost, &ca);
            const ssl_ctx_handle old(SSL_CTX_new(TLS_server_method()));
            SSL_CTX_set_security_level(old.get(), 0);
            SSL_CTX_set_min_proto_version(old.get(), TLS1_VERSION);
            SSL_CTX_set_max_proto_version(old.get(), TLS1_1_VERSION);
            REQUIRE(SSL_CTX_use_certificate(old.get(), id.certificate.get()) == 1);
            REQUIRE(SSL_CTX_use_PrivateKey(old.get(), id.key.get()) == 1);
            connection c(client(), old);
            CHECK_FALSE(c.outcome.client_failure.empty());
            CHECK(has(c.outcome.server_failure, "unsupported protocol"));
        }
    }

    TEST_CASE_FIXTURE(tls_fixture, "TLS 1.2 is spoken with ECDHE and an AEAD cipher only") {
        struct row {
            const char* ciphers;
            bool accepted;
        };
        const row rows[] = {
            {"ECDHE-RSA-AES128-GCM-SHA256", true}, {"ECDHE-RSA-AES256-GCM-SHA384", true},
            {"ECDHE-RSA-CHACHA20-POLY1305", true}, {"ECDHE-RSA-AES128-SHA256", false},
            {"ECDHE-RSA-AES256-SHA", false},       {"AES128-GCM-SHA256", false},
            {"DHE-RSA-AES128-GCM-SHA256", false},  {"AES256-SHA", false},
        };
        certificate_request request = localhost;
        request.rsa_bits = 2048;
        const ssl_ctx_handle server = server_for(request);
        for (const row& r : rows) {
            CAPTURE(r.ciphers);
            const ssl_ctx_handle other(SSL_CTX_new(TLS_client_method()));
            SSL_CTX_set_max_proto_version(other.get(), TLS1_2_VERSION);
            REQUIRE(SSL_CTX_set_cipher_list(other.get(), r.ciphers) == 1);
            connection c(careless_client(other.get()), crypto::make_server_session(server.get()).value());
            CHECK(c.outcome.both_done() == r.accepted);
            CHECK(has(c.outcome.server_failure, "no shared cipher") == !r.accepted);
        }
    }

    TEST_CASE_FIXTURE(tls_fixture, "a client cannot renegotiate") {
        const ssl_ctx_handle server = server_for(localhost);
        const ssl_ctx_handle other(SSL_CTX_new(TLS_client_method()));
        SSL_CTX_set_max_proto_version(other.get(), TLS1_2_VERSION);
        connection c(careless_client(other.get()), crypto::make_server_session(server.get()).value());
        REQUIRE(c.outcome.both_done());
        REQUIRE(SSL_renegotiate(c.client.get()) == 1);
        static_cast<void>(SSL_do_handshake(c.client.get()));
        char byte = 0;
        CHECK(SSL_read(c.server.get(), &byte, 1) <= 0);
        CHECK(SSL_do_handshake(c.client.get()) != 1);
        CHECK(has(crypto::openssl_reason(), "no renegotiation"));
        CHECK(SSL_total_renegotiations(c.server.get()) == 0);
    }

    TEST_CASE_FIXTURE(tls_fixture, "a server cannot make our client renegotiate") {
        const identity id = crypto::test::make_identity(localhost, &ca);
        const ssl_ctx_handle other(SSL_CTX_new(TLS_server_method()));
        SSL_CTX_set_max_proto_version(other.get(), TLS1_2_VERSION);
        REQUIRE(SSL_CTX_use_certificate(other.get(), id.certificate.get()) == 1);
        REQUIRE(SSL_CTX_use_PrivateKey(other.get(), id.key.get()) == 1);
        connection c(client(), other);
        REQUIRE(c.outcome.both_done());
        REQUIRE(SSL_renegotiate(c.server.get()) == 1);
        static_cast<void>(SSL_do_handshake(c.server.get()));
        char byte = 0;
        CHECK(SSL_read(c.client.get(), &byte, 1) <= 0);
        CHECK(SSL_in_init(c.client.get()) == 0);  // else it would have begun a new handshake
        static_cast<void>(crypto::openssl_reason());
    }

    TEST_CASE_FIXTURE(tls_fixture, "both sides agree on http/1.1 and nothing else") {
        const ssl_ctx_handle server = server_for(localhost);
        const auto agreed = [](const SSL* session) {
            const unsigned char* name = nullptr;
            unsigned size = 0;
            SSL_get0_alpn_selected(session, &name, &size);
            return std::string(reinterpret_cast<const char*>(name), size);
        };
        const auto offer = [&server](std::string_view protocols) {
            const ssl_ctx_handle other(SSL_CTX_new(TLS_client_method()));
            SSL_CTX_set_alpn_protos(other.get(), reinterpret_cast<const unsigned char*>(protocols.data()),
                                    static_cast<unsigned>(protocols.size()));
            return connection(careless_client(other.get()), crypto::make_server_session(server.get()).value());
        };
        SUBCASE("between ours") {
            connection c(client(), server);
            CHECK(agreed(c.client.get()) == "http/1.1");
            CHECK(agreed(c.server.get()) == "http/1.1");
        }
        SUBCASE("when a client would rather have h2") {
            CHECK(agreed(offer("\x02h2\x08http/1.1").server.get()) == "http/1.1");
        }
        SUBCASE("when a client offers nothing") {
            const connection c = offer("");
            CHECK(c.outcome.both_done());
            CHECK(agreed(c.server.get()) == "");
        }
        SUBCASE("when a client offers only something else") {
            const connection c = offer("\x02h2");
            CHECK(has(c.outcome.client_failure, "no application protocol"));
            CHECK_FALSE(c.outcome.server_failure.empty());
        }
    }

    TEST_CASE_FIXTURE(tls_fixture, "a session is resumed with a ticket and without a cache") {
        const ssl_ctx_handle server = server_for(localhost);
        const ssl_ctx_handle client_context = client();
        connection first(client_context, server);
        REQUIRE(first.outcome.both_done());
        // In TLS 1.3 the tickets come behind the handshake, with the first read.
        REQUIRE(crypto::test::pass(first.server.get(), first.client.get(), "x") == "x");
        const std::unique_ptr<SSL_SESSION, crypto::openssl_deleter<&SSL_SESSION_free>> ticket(
            SSL_get1_session(first.client.get()));
        ssl_handle again = crypto::make_client_session(client_context.get(), "localhost").value();
        REQUIRE(SSL_set_session(again.get(), ticket.get()) == 1);
        connection second(std::move(again), crypto::make_server_session(server.get()).value());
        CHECK(second.outcome.both_done());
        CHECK(SSL_session_reused(second.client.get()) == 1);
        CHECK(SSL_CTX_sess_number(server.get()) == 0);
    }

    TEST_CASE_FIXTURE(tls_fixture, "contexts release idle buffers and write in parts") {
        const long modes =
            SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER;
        CHECK((SSL_CTX_get_mode(client().get()) & modes) == modes);
        CHECK((SSL_CTX_get_mode(server_for(localhost).get()) & modes) == modes);
    }

    TEST_CASE_FIXTURE(tls_fixture, "files that cannot be used are refused with a message that names them") {
        const identity one = crypto::test::make_identity(localhost);
        const identity other = crypto::test::make_identity(localhost);
        certificate_request rsa = localhost;
        rsa.rsa_bits = 2048;
        const std::string certificate = folder.write_certificate("one.pem", one.certificate.get());
        const std::string key = folder.write_key("one.key", one.key.get());
        const std::string other_key = folder.write_key("other.key", other.key.get());
        const std::string rsa_key = folder.write_key("rsa.key", crypto::test::make_identity(rsa).key.get());
        const std::string locked = folder.write_key("locked.key", one.key.get(), "password");
        const std::string text = folder.write("text.pem", "not a certificate\n");
        const std::string missing = folder.path("missing.pem");
        struct row {
            std::string certificate;
            std::string key;
            std::string culprit;
            const char* why;
        };
        const row rows[] = {
            {missing, key, missing, "No such file"},
            {text, key, text, "no usable certificate in PEM form"},
            {key, key, key, "no usable certificate in PEM form"},
            {folder.path(""), key, folder.path(""), "no usable certificate in PEM form"},
            {certificate, missing, missing, "No such file"},
            {certificate, text, text, "no usable private key in PEM form"},
            {certificate, certificate, certificate, "no usable private key in PEM form"},
            {certificate, other_key, other_key, "does not belong to the certificate"},
            {certificate, rsa_key, rsa_key, "does not belong to the certificate"},
            {certificate, locked, locked, "is encrypted"},
        };
        for (const row& r : rows) {
            const auto context = crypto::make_server_tls(r.certificate, r.key);
            REQUIRE(context.has_error());
            CAPTURE(context.error().message);
            CHECK(has(context.error().message, "'" + r.culprit + "'"));
            CHECK(has(context.error().message, r.why));
        }
        CHECK(crypto::make_server_tls(certificate, key).has_value());
        for (const std::string& file : {missing, text, key}) {
            const auto context = crypto::make_client_tls(file);
            REQUIRE(context.has_error());
            CAPTURE(context.error().message);
            CHECK(has(context.error().message, "'" + file + "'"));
        }
        CHECK(crypto::openssl_reason() == "");
    }
}
