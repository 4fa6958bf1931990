#pragma once

#include "crypto/openssl_handles.hpp"

#include <string>
#include <string_view>

/// Two TLS sessions joined in memory.
namespace concurred::crypto::test {

/// How a handshake went: empty texts when that side finished it.
struct handshake_outcome {
    std::string client_failure;
    std::string server_failure;
    [[nodiscard]] bool both_done() const { return client_failure.empty() && server_failure.empty(); }
};

/// Connects both sessions to each other; call once, before `shake_hands`.
void join(SSL* client, SSL* server);

/// Runs the handshake of two joined sessions until both are done, one has failed or neither moves.
handshake_outcome shake_hands(SSL* client, SSL* server);

/// Sends `text` from one joined session to the other. @return what arrived.
std::string pass(SSL* from, SSL* to, std::string_view text);

}  // namespace concurred::crypto::test
