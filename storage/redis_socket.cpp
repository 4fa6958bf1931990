#include "storage/redis_socket.hpp"

#include "crypto/tls_context.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>

#include <netinet/tcp.h>
#include <openssl/err.h>
#include <sys/socket.h>

#include <cerrno>
#include <chrono>
#include <string>
#include <utility>
#include <vector>

namespace concurred::storage {

namespace {

using base::result;
using base::task;
using boost::asio::ip::tcp;
using boost::system::error_code;

// A server that is gone without a word is noticed by the kernel after this, when something was sent to it.
constexpr std::chrono::milliseconds user_timeout{10'000};

base::error unreachable(const std::string& what, error_code ec = {}) {
    return base::gateway_error(base::errc::service_unavailable, ec ? what + ": " + ec.message() : what, ec);
}

std::string text_of(const redis_address& address) {
    return address.port == 0 ? address.host : address.host + ":" + std::to_string(address.port);
}

void tune(int fd) noexcept {
    const int on = 1;
    const unsigned timeout = static_cast<unsigned>(user_timeout.count());
    static_cast<void>(::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on));
    static_cast<void>(::setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on));
    static_cast<void>(::setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout, sizeof timeout));
}

}  // namespace

task<error_code> redis_socket::connect(endpoint to) {
    error_code ec;
    socket_.close(ec);
    socket_.open(to.protocol(), ec);
    if (ec) {
        co_return ec;
    }
    const auto connected = co_await socket_.async_connect(to, base::awaiting);
    ec = std::get<0>(connected);
    if (!ec && closed_) {
        ec = boost::asio::error::operation_aborted;
    }
    if (!ec) {
        socket_.native_non_blocking(true, ec);
    }
    co_return ec;
}

task<result<void>> redis_socket::open(redis_url::transport via, redis_address to, SSL_CTX* tls) {
    closed_ = false;
    tls_.reset();
    error_code ec;
    if (via == redis_url::transport::unix_socket) {
        const boost::asio::local::stream_protocol::endpoint path(to.host);
        ec = co_await connect(endpoint(path));
        co_return ec ? result<void>(unreachable("cannot connect to " + text_of(to), ec)) : result<void>();
    }
    std::vector<tcp::endpoint> addresses;
    const auto literal = boost::asio::ip::make_address(to.host, ec);
    if (!ec) {
        addresses.emplace_back(literal, to.port);
    } else {
        boost::asio::ip::basic_resolver<tcp, base::executor> names(executor_);
        const auto found = co_await names.async_resolve(to.host, "", base::awaiting);
        if (std::get<0>(found)) {
            co_return unreachable("cannot resolve " + to.host, std::get<0>(found));
        }
        for (const auto& entry : std::get<1>(found)) {
            addresses.emplace_back(entry.endpoint().address(), to.port);
        }
    }
    ec = boost::asio::error::host_not_found;
    for (const tcp::endpoint& address : addresses) {
        if (closed_) {
            ec = boost::asio::error::timed_out;
            break;
        }
        ec = co_await connect(endpoint(address));
        if (!ec) {
            break;
        }
    }
    if (ec) {
        co_return unreachable("cannot connect to " + text_of(to), ec);
    }
    tune(socket_.native_handle());
    if (via != redis_url::transport::tls) {
        co_return result<void>();
    }
    result<void> shaken = co_await shake_hands(to.host, tls);
    co_return shaken;
}

task<result<void>> redis_socket::shake_hands(std::string_view host, SSL_CTX* tls) {
    auto session = crypto::make_client_session(tls, host);
    if (!session) {
        co_return session.error();
    }
    tls_ = std::move(*session);
    // The context's protocols are those of HTTP; Redis has none.
    static_cast<void>(SSL_set_alpn_protos(tls_.get(), nullptr, 0));
    SSL_set_read_ahead(tls_.get(), 1);
    SSL_set_fd(tls_.get(), socket_.native_handle());
    for (;;) {
        ERR_clear_error();
        errno = 0;
        const outcome r = tls_outcome(SSL_do_handshake(tls_.get()), 0);
        if (r.is == status::ok) {
            co_return result<void>();
        }
        if (r.is == status::closed) {
            std::string why = crypto::tls_failure_reason(tls_.get());
            co_return unreachable("the TLS handshake with Redis failed: " +
                                  (why.empty() ? std::string("the server closed the connection") : why));
        }
        const auto what = r.is == status::want_read ? wait_type::wait_read : wait_type::wait_write;
        const auto waited = co_await socket_.async_wait(what, base::awaiting);
        if (closed_ || std::get<0>(waited)) {
            co_return unreachable("the TLS handshake with Redis took too long");
        }
    }
}

redis_socket::outcome redis_socket::tls_outcome(int returned, std::size_t bytes) noexcept {
    if (returned > 0) {
        return {status::ok, bytes};
    }
    switch (SSL_get_error(tls_.get(), returned)) {
        case SSL_ERROR_WANT_READ:
            return {status::want_read, 0};
        case SSL_ERROR_WANT_WRITE:
            return {status::want_write, 0};
        default:
            return {status::closed, 0};
    }
}

redis_socket::outcome redis_socket::try_read(std::span<char> into) noexcept {
    if (!socket_.is_open()) {
        return {status::closed, 0};
    }
    if (!tls_) {
        for (;;) {
            const ::ssize_t n = ::recv(socket_.native_handle(), into.data(), into.size(), MSG_DONTWAIT);
            if (n > 0) {
                return {status::ok, static_cast<std::size_t>(n)};
            }
            if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
                return {status::closed, 0};
            }
            if (errno == EAGAIN) {
                return {status::want_read, 0};
            }
        }
    }
    std::size_t n = 0;
    ERR_clear_error();
    errno = 0;
    const int returned = SSL_read_ex(tls_.get(), into.data(), into.size(), &n);
    return tls_outcome(returned, n);
}

redis_socket::outcome redis_socket::try_write(std::string_view bytes) noexcept {
    if (!socket_.is_open()) {
        return {status::closed, 0};
    }
    if (!tls_) {
        for (;;) {
            const ::ssize_t n =
                ::send(socket_.native_handle(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
            if (n >= 0) {
                return {status::ok, static_cast<std::size_t>(n)};
            }
            if (errno == EAGAIN) {
                return {status::want_write, 0};
            }
            if (errno != EINTR) {
                return {status::closed, 0};
            }
        }
    }
    std::size_t n = 0;
    ERR_clear_error();
    errno = 0;
    const int returned = SSL_write_ex(tls_.get(), bytes.data(), bytes.size(), &n);
    return tls_outcome(returned, n);
}

void redis_socket::close() noexcept {
    closed_ = true;
    error_code ignored;
    socket_.close(ignored);
}

}  // namespace concurred::storage
