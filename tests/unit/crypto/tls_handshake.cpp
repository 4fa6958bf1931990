#include "tests/unit/crypto/tls_handshake.hpp"

#include "crypto/tls_context.hpp"

#include <openssl/err.h>

#include <array>
#include <stdexcept>

namespace concurred::crypto::test {

namespace {

enum class progress { done, waiting, failed };

progress step(SSL* session, std::string& failure) {
    ERR_clear_error();
    const int returned = SSL_do_handshake(session);
    if (returned == 1) {
        return progress::done;
    }
    const int error = SSL_get_error(session, returned);
    if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) {
        return progress::waiting;
    }
    failure = tls_failure_reason(session);
    if (failure.empty()) {
        failure = "connection ended";
    }
    return progress::failed;
}

}  // namespace

void join(SSL* client, SSL* server) {
    BIO* one = nullptr;
    BIO* other = nullptr;
    if (BIO_new_bio_pair(&one, 1 << 16, &other, 1 << 16) != 1) {
        throw std::runtime_error("no memory for a BIO pair");
    }
    SSL_set_bio(client, one, one);
    SSL_set_bio(server, other, other);
}

handshake_outcome shake_hands(SSL* client, SSL* server) {
    handshake_outcome outcome;
    progress client_at = progress::waiting;
    progress server_at = progress::waiting;
    constexpr int most_flights = 10;
    for (int i = 0; i < most_flights; ++i) {
        if (client_at == progress::waiting) {
            client_at = step(client, outcome.client_failure);
        }
        if (server_at == progress::waiting) {
            server_at = step(server, outcome.server_failure);
        }
    }
    if (client_at == progress::waiting) {
        outcome.client_failure = "stuck";
    }
    if (server_at == progress::waiting) {
        outcome.server_failure = "stuck";
    }
    return outcome;
}

std::string pass(SSL* from, SSL* to, std::string_view text) {
    std::array<char, 1024> buffer{};
    const int written = SSL_write(from, text.data(), static_cast<int>(text.size()));
    const int read = written > 0 ? SSL_read(to, buffer.data(), static_cast<int>(buffer.size())) : 0;
    return read > 0 ? std::string(buffer.data(), static_cast<std::size_t>(read)) : std::string();
}

}  // namespace concurred::crypto::test
