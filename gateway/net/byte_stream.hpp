#pragma once

#include "crypto/openssl_handles.hpp"
#include "gateway/base/executor.hpp"
#include "gateway/net/reactor.hpp"

#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <sys/uio.h>

#include <cstddef>
#include <span>

namespace concurred::net {

using tcp_socket = boost::asio::basic_stream_socket<boost::asio::ip::tcp, base::executor>;

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
    byte_stream(base::executor ex, int fd, crypto::ssl_handle tls = {});
    /// The same, of a socket that Asio has connected; it must be open.
    explicit byte_stream(tcp_socket socket, crypto::ssl_handle tls = {});
    byte_stream(byte_stream&& other) noexcept;
    byte_stream& operator=(byte_stream&& other) noexcept;
    ~byte_stream();

    /// TLS: proceeds with the handshake; `ok` when it is complete. Plain: `ok`.
    [[nodiscard]] io_result try_handshake() noexcept;
    /// Reads what is there, at most `into.size()` bytes.
    [[nodiscard]] io_result try_read(std::span<char> into) noexcept;
    /// Writes the pieces, as far as the socket takes them. `bytes` counts from the first piece.
    [[nodiscard]] io_result try_write(std::span<const ::iovec> pieces) noexcept;

    /// Whether an attempt may get on. For TLS also when only the session itself holds something.
    [[nodiscard]] bool ready(wait_type what) const noexcept;
    /// A read would find nothing; `quiet` has said so.
    void drained() noexcept { entry_->drained(); }
    /// Completes when `ready`, or after `cancel`; then look again. Ask `ready` first: it must not be.
    [[nodiscard]] base::task<> until_ready(wait_type what) { return reactor_->wait(*entry_, what); }

    /// `act(context)` runs once, from the shard's loop, when the peer closes its sending side or the connection breaks.
    /// Null: not any more. Ask `peer_closed` for what has happened already.
    void on_peer_closed(void (*act)(void* context), void* context) { reactor_->on_end(*entry_, act, context); }
    /// The peer has closed its sending side, or the connection is broken, as far as the loop has heard.
    [[nodiscard]] bool peer_closed() const noexcept { return entry_->ended(); }

    /// Nothing to read and not closed: safe to send another request on. Asks the kernel. (TLS: pending records count as
    /// data)
    [[nodiscard]] bool quiet() const noexcept;
    /// The same, as far as the loop has heard; asks the kernel only where the loop does not listen.
    [[nodiscard]] bool seems_quiet() const noexcept;

    /// Ends all waits.
    void cancel() noexcept { reactor_->cancel(*entry_); }
    /// Sends TLS close_notify if that is possible at once, and FIN.
    void shutdown_send() noexcept;
    /// Nobody may wait, and nothing may be called afterwards. The destructor does it otherwise.
    void close() noexcept;

    [[nodiscard]] bool is_tls() const noexcept { return tls_ != nullptr; }
    [[nodiscard]] SSL* tls() const noexcept { return tls_.get(); }
    [[nodiscard]] int native_handle() const noexcept { return fd_; }

private:
    [[nodiscard]] io_result tls_result(int returned, std::size_t bytes) noexcept;

    reactor* reactor_;
    reactor::entry* entry_;  // null: closed
    int fd_;
    crypto::ssl_handle tls_;
};

}  // namespace concurred::net
