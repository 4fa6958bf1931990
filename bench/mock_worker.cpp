#include "bench/mock_worker.hpp"

#include <sys/socket.h>
#include <unistd.h>
#include <cerrno>
#include <chrono>
#include <utility>

namespace concurred::bench {

namespace asio = boost::asio;

int open_mock_listener(const asio::ip::tcp::endpoint& endpoint, bool shared,
                       boost::system::error_code& failure) noexcept {
    const int descriptor = ::socket(endpoint.protocol().family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    const int on = 1;
    // SO_REUSEPORT must be set before bind, and Asio has no portable option for it.
    const bool ready = descriptor >= 0 && ::setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
                       (!shared || ::setsockopt(descriptor, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) == 0) &&
                       ::bind(descriptor, endpoint.data(), static_cast<socklen_t>(endpoint.size())) == 0 &&
                       ::listen(descriptor, SOMAXCONN) == 0;
    if (ready) {
        return descriptor;
    }
    failure.assign(errno, boost::system::system_category());
    if (descriptor >= 0) {
        ::close(descriptor);
    }
    return -1;
}

mock_worker::mock_worker(const mock_options& options, mock_board& board, unsigned index, asio::ssl::context* tls,
                         const asio::ip::tcp& protocol, int listener, std::string base_url)
    : tls_(tls),
      responder_(options, board, board.part(index), std::move(base_url)),
      acceptor_(context_, protocol, listener),
      pause_(context_) {}

// Connections close their sockets while the context still exists; callbacks that were due are then never called.
mock_worker::~mock_worker() = default;

void mock_worker::run() {
    accept();
    context_.run();
}

void mock_worker::accept() {
    acceptor_.async_accept([this](const boost::system::error_code& failure, mock_transport::socket_type socket) {
        accepted(failure, std::move(socket));
    });
}

void mock_worker::accepted(const boost::system::error_code& failure, mock_transport::socket_type socket) {
    if (!failure) {
        mock_connection::owner& self = *this;
        auto connection = std::make_unique<mock_connection>(context_, std::move(socket), tls_, responder_, self);
        connection->index = connections_.size();
        connections_.push_back(std::move(connection));
        connections_.back()->start();
    } else if (failure == asio::error::no_descriptors) {
        pause_.expires_after(std::chrono::milliseconds(50));
        pause_.async_wait([this](const boost::system::error_code&) { accept(); });
        return;
    }
    accept();
}

void mock_worker::release(mock_connection& connection) noexcept {
    const std::size_t index = connection.index;
    if (index + 1 != connections_.size()) {
        std::swap(connections_[index], connections_.back());
        connections_[index]->index = index;
    }
    connections_.pop_back();
}

}  // namespace concurred::bench
