#pragma once

#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/system/error_code.hpp>

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

namespace concurred::bench {

/// A TCP connection, plain or TLS, with what a misbehaving server needs: resets, half-closes, single-byte writes.
/// At most one read and one write under way; each calls its event exactly once, also after `close`.
class mock_transport {
public:
    using socket_type = boost::asio::basic_stream_socket<boost::asio::ip::tcp, boost::asio::io_context::executor_type>;
    using error_code = boost::system::error_code;

    /// Receives the outcome of what was started.
    class events {
    public:
        virtual void handshake_done(const error_code& failure) = 0;
        virtual void read_done(const error_code& failure, std::size_t size) = 0;
        virtual void write_done(const error_code& failure, std::size_t size) = 0;
        virtual void farewell_done() = 0;

    protected:
        ~events() = default;
    };

    /// \param tls the server's context, outlives the transport; null: plain TCP \param listener outlives everything
    ///        that was started
    mock_transport(socket_type socket, boost::asio::ssl::context* tls, events& listener);

    [[nodiscard]] bool secure() const noexcept { return tls_.has_value(); }

    /// Starts the TLS handshake; only if `secure()`.
    void start_handshake();
    /// Starts a read into `room`, which must live until `read_done`.
    void start_read(std::span<char> room);
    /// Sends what the kernel takes at once. \returns bytes taken; `failure` is `would_block` if that is none, always so
    /// with TLS.
    [[nodiscard]] std::size_t send_now(std::string_view bytes, error_code& failure) noexcept;
    /// Starts a write of at least one byte; `bytes` must live until `write_done`.
    void start_write(std::string_view bytes);
    /// Starts TLS's closing alert; only if `secure()` and nothing is under way.
    void start_farewell();

    /// Ends the sending direction (FIN); reading goes on.
    void end_sending() noexcept;
    /// Closes with a TCP reset; what the kernel has not sent is lost.
    void reset() noexcept;
    /// Closes.
    void close() noexcept;

private:
    socket_type socket_;
    std::optional<boost::asio::ssl::stream<socket_type&>> tls_;
    events& listener_;
};

}  // namespace concurred::bench
