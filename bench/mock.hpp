#pragma once

#include "bench/mock_pace.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace concurred::bench {

/// How the mock provider is started.
struct mock_options {
    std::string host = "127.0.0.1";  ///< numeric IPv4 or IPv6 address to listen on
    std::uint16_t port = 0;          ///< TCP port; 0: any free one, which is then printed
    unsigned threads = 1;            ///< one io_context and one acceptor (SO_REUSEPORT) each; 1 … 64
    std::string defaults;            ///< settings of every request, as in the `x-mock` header: `tokens=20,first=5ms`
    std::vector<std::string> models{"mock", "mock-small", "mock-large"};  ///< what the list of models shows
    mock_traces traces;                                                   ///< recordings that the setting `trace` names
    bool keep_bodies = false;  ///< keep the bodies of the last 256 requests of each thread
    bool hash_bodies = false;  ///< compute the SHA-256 of every request body
    std::string tls_cert;      ///< PEM file with the certificate chain; empty: plain TCP
    std::string tls_key;       ///< PEM file with the private key; needed with `tls_cert`
};

/// Runs the mock provider until SIGINT or SIGTERM. Prints `mock provider listening on http://HOST:PORT/v1` to stdout
/// once connections are accepted, and what prevents that to stderr.
/// \returns the exit code: 0 after a signal, 64 for options that make no sense, 69 if the address cannot be used.
int run_mock(const mock_options& options);

}  // namespace concurred::bench
