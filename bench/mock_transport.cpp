#include "bench/mock_transport.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>

#include <sys/socket.h>
#include <cerrno>
#include <utility>

namespace concurred::bench {

namespace asio = boost::asio;

mock_transport::mock_transport(socket_type socket, asio::ssl::context* tls, events& listener)
    : socket_(std::move(socket)), listener_(listener) {
    if (tls != nullptr) {
        tls_.emplace(socket_, *tls);
    }
    error_code ignored;
    socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
}

void mock_transport::start_handshake() {
    tls_->async_handshake(asio::ssl::stream_base::server,
                          [this](const error_code& failure) { listener_.handshake_done(failure); });
}

void mock_transport::start_read(std::span<char> room) {
    auto done = [this](const error_code& failure, std::size_t size) { listener_.read_done(failure, size); };
    const auto buffer = asio::buffer(room.data(), room.size());
    if (tls_) {
        tls_->async_read_some(buffer, done);
    } else {
        socket_.async_read_some(buffer, done);
    }
}

std::size_t mock_transport::send_now(std::string_view bytes, error_code& failure) noexcept {
    failure = asio::error::would_block;
    if (tls_) {
        return 0;
    }
    const auto sent = ::send(socket_.native_handle(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent >= 0) {
        failure = {};
        return static_cast<std::size_t>(sent);
    }
    if (errno != EAGAIN && errno != EINTR) {
        failure.assign(errno, boost::system::system_category());
    }
    return 0;
}

void mock_transport::start_write(std::string_view bytes) {
    auto done = [this](const error_code& failure, std::size_t size) { listener_.write_done(failure, size); };
    const auto buffer = asio::buffer(bytes.data(), bytes.size());
    if (tls_) {
        tls_->async_write_some(buffer, done);
    } else {
        socket_.async_write_some(buffer, done);
    }
}

void mock_transport::start_farewell() {
    tls_->async_shutdown([this](const error_code&) { listener_.farewell_done(); });
}

void mock_transport::end_sending() noexcept {
    error_code ignored;
    socket_.shutdown(asio::socket_base::shutdown_send, ignored);
}

void mock_transport::reset() noexcept {
    error_code ignored;
    socket_.set_option(asio::socket_base::linger(true, 0), ignored);
    socket_.close(ignored);
}

void mock_transport::close() noexcept {
    error_code ignored;
    socket_.close(ignored);
}

}  // namespace concurred::bench
