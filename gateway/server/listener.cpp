#include "gateway/server/listener.hpp"

#include "crypto/tls_context.hpp"

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <sys/socket.h>

#include <string>
#include <utility>

namespace concurred::server {

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

constexpr std::chrono::milliseconds pause_time{100};

http::client_address address_of(const tcp::endpoint& peer) noexcept {
    http::client_address a;
    const asio::ip::address_v6 v6 = peer.address().is_v6()
                                        ? peer.address().to_v6()
                                        : asio::ip::make_address_v6(asio::ip::v4_mapped, peer.address().to_v4());
    a.bytes = v6.to_bytes();
    a.port = peer.port();
    return a;
}

// Out of descriptors or memory: the listener stays, only accepting pauses.
bool is_exhaustion(const boost::system::error_code& ec) noexcept {
    return ec == boost::system::errc::too_many_files_open || ec == boost::system::errc::too_many_files_open_in_system ||
           ec == boost::system::errc::no_buffer_space || ec == boost::system::errc::not_enough_memory;
}

base::error bind_failure(const base::endpoint_config& address, const char* step, boost::system::error_code ec) {
    std::string what = "Cannot listen on " + address.host + ":" + std::to_string(address.port) + " (" + step +
                       "): " + ec.message() + ".";
    if (ec == boost::system::errc::address_in_use) {
        what += " Another program uses this port: stop it, or choose another one.";
    }
    return base::gateway_error(base::errc::service_unavailable, std::move(what), ec);
}

// The same for all clients, so it is not built.
constexpr std::string_view busy_answer =
    "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nContent-Length: 145\r\nRetry-After: 1\r\n"
    "Connection: close\r\n\r\n"
    "{\"error\":{\"code\":\"SERVICE_UNAVAILABLE\",\"message\":\"Too many connections. Try again in a moment.\","
    "\"type\":\"server_error\",\"param\":null,\"details\":{}}}";
static_assert(busy_answer.size() - busy_answer.find("\r\n\r\n") - 4 == 145);

}  // namespace

std::string numeric_host(const base::endpoint_config& address) {
    return address.host.empty() ? "::" : address.host == "localhost" ? "127.0.0.1" : address.host;
}

listener::listener(session_context& context, params p)
    : context_(context),
      params_(std::move(p)),
      acceptor_(context.executor),
      pause_(context.executor),
      tasks_(context.executor, [this](std::exception_ptr) {
          if (params_.on_trouble) {
              params_.on_trouble("a session ended in an exception", {});
          }
      }) {}

listener::~listener() = default;

base::result<base::endpoint_config> listener::open(const base::endpoint_config& address) {
    boost::system::error_code ec;
    const auto failed = [&address, &ec](const char* step) { return bind_failure(address, step, ec); };
    const auto ip = asio::ip::make_address(numeric_host(address), ec);
    if (ec) {
        return failed("the host must be an IP address");
    }
    const tcp::endpoint endpoint(ip, address.port);
    acceptor_.open(endpoint.protocol(), ec);
    if (ec) {
        return failed("socket");
    }
    acceptor_.set_option(asio::socket_base::reuse_address(true), ec);
    const int on = 1;
    if (::setsockopt(acceptor_.native_handle(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) != 0) {
        ec.assign(errno, boost::system::system_category());
        return failed("SO_REUSEPORT");
    }
    acceptor_.bind(endpoint, ec);
    if (ec) {
        return failed("bind");
    }
    acceptor_.listen(asio::socket_base::max_listen_connections, ec);
    if (ec) {
        return failed("listen");
    }
    return base::endpoint_config{address.host, acceptor_.local_endpoint(ec).port()};
}

void listener::start() {
    tasks_.spawn(accept_loop());
}

base::task<> listener::accept_loop() {
    bool exhausted = false;
    while (acceptor_.is_open()) {
        tcp::endpoint peer;
        net::tcp_socket socket(context_.executor);
        const auto accepted = co_await acceptor_.async_accept(socket, peer, base::awaiting);
        const boost::system::error_code ec = std::get<0>(accepted);
        if (ec == asio::error::operation_aborted || !acceptor_.is_open()) {
            break;
        }
        if (is_exhaustion(ec)) {
            if (params_.on_trouble && !std::exchange(exhausted, true)) {
                params_.on_trouble("accepting is paused", ec);
            }
            pause_.expires_after(pause_time);
            co_await pause_.async_wait(base::awaiting);
            continue;
        }
        if (ec) {
            continue;  // the client was gone before it was accepted
        }
        exhausted = false;
        admit(std::move(socket), peer);
    }
}

void listener::admit(net::tcp_socket socket, const tcp::endpoint& peer) {
    if (params_.max_sessions == 0 || sessions_.size() < params_.max_sessions) {
        tasks_.spawn(run_session(std::move(socket), address_of(peer)));
    } else if (params_.tls == nullptr) {
        static_cast<void>(
            ::send(socket.native_handle(), busy_answer.data(), busy_answer.size(), MSG_NOSIGNAL | MSG_DONTWAIT));
    }
}

base::task<> listener::run_session(net::tcp_socket socket, http::client_address client) {
    crypto::ssl_handle tls;
    if (params_.tls != nullptr) {
        auto made = crypto::make_server_session(params_.tls);
        if (!made) {
            co_return;
        }
        tls = std::move(*made);
    }
    session s(context_, net::byte_stream(std::move(socket), std::move(tls)), client);
    sessions_.push_back(s);
    co_await s.run();
    sessions_.erase(sessions_.iterator_to(s));
}

void listener::close() {
    // Clients in the kernel's queue have a connection already: closing the socket would reset it.
    boost::system::error_code ec;
    acceptor_.non_blocking(true, ec);
    for (int taken = 0; !ec && taken < asio::socket_base::max_listen_connections; ++taken) {
        tcp::endpoint peer;
        net::tcp_socket socket(context_.executor);
        acceptor_.accept(socket, peer, ec);
        if (!ec) {
            admit(std::move(socket), peer);
        }
    }
    boost::system::error_code ignored;
    acceptor_.close(ignored);
    pause_.cancel();
}

void listener::close_idle() noexcept {
    context_.closing = true;
    for (session& s : sessions_) {
        s.close_if_idle();
    }
}

void listener::abort_requests() noexcept {
    for (session& s : sessions_) {
        s.abort();
    }
}

void listener::kill() noexcept {
    for (session& s : sessions_) {
        s.kill();
    }
}

base::task<> listener::join() {
    return tasks_.join();
}

}  // namespace concurred::server
