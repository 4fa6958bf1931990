#pragma once

#include "gateway/base/error.hpp"
#include "gateway/base/executor.hpp"
#include "gateway/base/timing_wheel.hpp"
#include "gateway/http/abort_signal.hpp"
#include "gateway/net/byte_stream.hpp"
#include "gateway/net/resolver.hpp"
#include "gateway/net/url.hpp"

#include <chrono>
#include <memory>

namespace concurred::net {

/// Makes new connections to one upstream: the seam the pool is tested with.
class dialer {
public:
    dialer() = default;
    dialer(const dialer&) = delete;
    dialer& operator=(const dialer&) = delete;
    virtual ~dialer() = default;

    /// Completes with a connection that is ready for a request: under TLS, shaken hands and the peer verified. Any
    /// number may run at a time. `abort` ends it within a turn and must outlive it. Errors, all before a byte of a
    /// request was sent: errc::upstream_error (name, connection, TLS), errc::upstream_timeout (the deadline for all of
    /// it), errc::service_unavailable (out of descriptors, shutdown), errc::client_gone.
    [[nodiscard]] virtual base::task<base::result<byte_stream>> dial(http::abort_signal& abort) = 0;
};

struct dialer_params {
    base::executor executor;
    base::timing_wheel& wheel;  ///< outlives the dialer, as does the resolver
    net::resolver& resolver;
    url target;
    SSL_CTX* tls = nullptr;  ///< from `crypto::make_client_tls`, outlives the dialer; used if `target.tls`
    std::chrono::milliseconds connect_timeout{5'000};  ///< for name lookup, connection and TLS handshake together
};

/// Dials over TCP: the addresses of the host in their order until one accepts. A certificate that is refused ends the
/// attempt for good; nothing is ever tried without verification.
[[nodiscard]] std::unique_ptr<dialer> make_dialer(dialer_params params);

}  // namespace concurred::net
