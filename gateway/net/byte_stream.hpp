#pragma once

#include "crypto/openssl_handles.hpp"
#include "gateway/base/executor.hpp"

#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <sys/uio.h>

#include <cstddef>
#include <span>

namespace concurred::net {

using tcp_socket = boost::asio::basic_stream_socket<boost::asio::ip::tcp, base::executor>;
using wait_type = boost::asio::socket_base::wait_type;

/// Comes with `io_status::closed` when a TLS peer went away without close_notify: what it sent may have been cut.
inline constexpr boost::asio::error::misc_errors stream_truncated = boost::asio::error::eof;

/// What a non-blocking attempt to read or write came to.
enum class io_status {
    ok,
    want_read,   ///< wait until the socket is readable, then try again
    want_write,  ///< wait until the socket is writable, then try again
    closed,      ///< orderly end of the peer's data
    failed,      ///< see the error code
};

struct io_result {
    io_status status = io_status::ok;
    std::size_t bytes = 0;
    boost::system::error_code ec{};
};

/// A connected TCP socket, plain or under TLS, with one vocabulary for both: try now, and where that would block, await
/// readiness and try again. TLS works on the socket itself, without buffers of its own between OpenSSL and the kernel.
/// Belongs to one shard.
class byte_stream {
public:
    /// Takes over a connected socket and makes it non-blocking and without Nagle's delay. `tls` is null for plain TCP,
    /// else a fresh client or server session for this connection.
    explicit byte_stream(tcp_socket socket, crypto::ssl_handle tls = {});

    /// TLS: proceeds with the handshake; `ok` when it is complete. Plain: `ok`.
    [[nodiscard]] io_result try_handshake() noexcept;
    /// Reads what is there, at most `into.size()` bytes.
    [[nodiscard]] io_result try_read(std::span<char> into) noexcept;
    /// Writes the pieces, as far as the socket takes them. `bytes` counts from the first piece.
    [[nodiscard]] io_result try_write(std::span<const ::iovec> pieces) noexcept;

    /// Completes when the socket is ready, or with operation_aborted after `cancel`/`close`.
    [[nodiscard]] auto async_wait(wait_type what) { return socket_.async_wait(what, base::awaiting); }

    /// The peer has closed its sending side, or the connection is broken. Does not consume data. (poll, RDHUP)
    [[nodiscard]] bool peer_closed() const noexcept;
    /// Nothing to read and not closed: safe to send another request on. (peek; TLS: pending records count as data)
    [[nodiscard]] bool quiet() const noexcept;

    /// Ends all waits with operation_aborted.
    void cancel() noexcept;
    /// Sends TLS close_notify if that is possible at once, and FIN.
    void shutdown_send() noexcept;
    void close() noexcept;

    [[nodiscard]] bool is_tls() const noexcept { return tls_ != nullptr; }
    [[nodiscard]] SSL* tls() const noexcept { return tls_.get(); }
    [[nodiscard]] tcp_socket& socket() noexcept { return socket_; }

private:
    [[nodiscard]] io_result tls_result(int returned, std::size_t bytes) noexcept;

    tcp_socket socket_;
    crypto::ssl_handle tls_;
};

}  // namespace concurred::net
