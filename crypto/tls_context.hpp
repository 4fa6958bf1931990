#pragma once

#include "crypto/openssl_handles.hpp"
#include "gateway/base/error.hpp"

#include <string>
#include <string_view>

namespace concurred::crypto {

// Contexts are made once and then only read, so sessions may be made from one on any thread. All of them: TLS 1.2 with
// ECDHE and an AEAD cipher, or TLS 1.3; security level 2 (keys of 112 bits of strength); no renegotiation, no
// compression; buffers released while idle; partial and repeated writes from a buffer that moved.

/// The context of a TLS listener: tickets for resumption, no session cache, ALPN `http/1.1` only. A client that offers
/// protocols without http/1.1 is refused with an alert (RFC 7301 3.2); one that offers none is served.
/// @param certificate_file PEM: the certificate, then the intermediates. @param key_file PEM, not encrypted.
/// @return the context; or errc::internal with a message that names the file at fault: it cannot be read, has no
/// certificate or key in it, is encrypted, or the two do not belong together.
[[nodiscard]] base::result<ssl_ctx_handle> make_server_tls(const std::string& certificate_file,
                                                           const std::string& key_file);

/// The context of connections to upstreams: the peer's certificate is always verified against the system's roots (those
/// of SSL_CERT_FILE and SSL_CERT_DIR if set), plus those in `ca_file`. Offers ALPN `http/1.1`.
/// @param ca_file PEM with further trusted certificates; empty: none.
/// @return the context; or errc::internal with a message that names the file.
[[nodiscard]] base::result<ssl_ctx_handle> make_client_tls(const std::string& ca_file);

/// The server side of one connection, ready to accept: the caller attaches the socket (`SSL_set_fd`) and shakes hands.
/// @param context from `make_server_tls`; the session keeps a reference of its own. @return errc::internal without
/// memory.
[[nodiscard]] base::result<ssl_handle> make_server_session(SSL_CTX* context);

/// The client side of one connection, ready to connect: it accepts a certificate for `host` only and sends the name
/// (SNI). For an IP address, the certificate must have that address and no name is sent (RFC 6066 3).
/// @param context from `make_client_tls`; the session keeps a reference of its own.
/// @param host DNS name or IP address, IPv6 with or without brackets, without a port.
/// @return the session; or errc::internal for an impossible host or without memory.
[[nodiscard]] base::result<ssl_handle> make_client_session(SSL_CTX* context, std::string_view host);

/// Why a handshake, read or write of `session` failed: the verdict on the peer's certificate if that was it, else the
/// content of this thread's error queue, which is emptied. No secrets. @return empty when the library has nothing to
/// say: the connection just ended.
[[nodiscard]] std::string tls_failure_reason(const SSL* session);

}  // namespace concurred::crypto
