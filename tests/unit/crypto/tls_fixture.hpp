#pragma once

#include "crypto/tls_context.hpp"
#include "tests/unit/crypto/test_certificates.hpp"
#include "tests/unit/crypto/tls_handshake.hpp"

#include <string>
#include <string_view>
#include <utility>

namespace concurred::crypto::test {

/// A certificate for these names and addresses.
inline const certificate_request localhost{.common_name = "localhost",
                                           .alt_names = "DNS:localhost,DNS:*.example.com,IP:127.0.0.1,IP:::1"};

/// A CA of its own, contexts of servers with its certificates, and a client context that trusts it.
struct tls_fixture {
    temporary_folder folder;
    identity ca = make_identity({.common_name = "Test CA", .alt_names = "", .is_ca = true});
    std::string ca_file = folder.write_certificate("ca.pem", ca.certificate.get());

    ssl_ctx_handle server_for(const certificate_request& request) const {
        return server_of(make_identity(request, &ca));
    }
    ssl_ctx_handle server_of(const identity& server) const {
        const std::string certificate = folder.write_certificate("server.pem", server.certificate.get());
        return make_server_tls(certificate, folder.write_key("server.key", server.key.get())).value();
    }
    ssl_ctx_handle client() const { return make_client_tls(ca_file).value(); }
};

/// Two sessions after a handshake, or after the attempt.
struct connection {
    ssl_handle client;
    ssl_handle server;
    handshake_outcome outcome;

    connection(ssl_handle c, ssl_handle s) : client(std::move(c)), server(std::move(s)) {
        join(client.get(), server.get());
        outcome = shake_hands(client.get(), server.get());
    }
    connection(const ssl_ctx_handle& c, const ssl_ctx_handle& s, std::string_view host = "localhost")
        : connection(make_client_session(c.get(), host).value(), make_server_session(s.get()).value()) {}
};

/// A client that offers what ours never would and trusts everyone.
inline ssl_handle careless_client(SSL_CTX* context) {
    SSL_CTX_set_security_level(context, 0);
    ssl_handle session(SSL_new(context));
    SSL_set_connect_state(session.get());
    return session;
}

inline bool has(const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
}

}  // namespace concurred::crypto::test
