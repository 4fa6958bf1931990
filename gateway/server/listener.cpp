#include "gateway/server/listener.hpp"

#include "crypto/tls_context.hpp"

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <linux/filter.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

namespace concurred::server {

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

constexpr std::chrono::milliseconds pause_time{100};
// Time for the last packet of handshakes that have begun: about the longest way around the world.
constexpr std::chrono::milliseconds handshake_grace{250};
// After so many connections others get their turn.
constexpr int accepts_per_turn = 64;

http::client_address address_of(const ::sockaddr_storage& peer) noexcept {
    http::client_address a;
    if (peer.ss_family == AF_INET6) {
        const auto& v6 = reinterpret_cast<const ::sockaddr_in6&>(peer);
        std::memcpy(a.bytes.data(), &v6.sin6_addr, a.bytes.size());
        a.port = ntohs(v6.sin6_port);
        return a;
    }
    const auto& v4 = reinterpret_cast<const ::sockaddr_in&>(peer);
    a.bytes[10] = a.bytes[11] = 0xff;
    std::memcpy(a.bytes.data() + 12, &v4.sin_addr, sizeof v4.sin_addr);
    a.port = ntohs(v4.sin_port);
    return a;
}

// Makes the kernel drop packets that ask this socket for a new connection. Closing it at once instead would reset the
// connections that clients have already, but that were not accepted yet.
bool refuse_newcomers(int fd) noexcept {
    constexpr std::uint32_t flags_offset = 13;  // in the TCP header (RFC 9293 3.1)
    constexpr std::uint32_t syn = 0x02;
    std::array<::sock_filter, 4> program{{
        {BPF_LD | BPF_B | BPF_ABS, 0, 0, flags_offset},
        {BPF_JMP | BPF_JSET | BPF_K, 0, 1, syn},
        {BPF_RET | BPF_K, 0, 0, 0},
        {BPF_RET | BPF_K, 0, 0, 0xffffffff},
    }};
    const ::sock_fprog filter{static_cast<unsigned short>(program.size()), program.data()};
    return ::setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter) == 0;
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
      closing_(context.executor),
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
        co_await acceptor_.async_wait(acceptor::wait_read, base::awaiting);
        if (!acceptor_.is_open()) {
            break;
        }
        const boost::system::error_code ec = accept_waiting();
        if (!is_exhaustion(ec)) {
            exhausted = false;
            continue;
        }
        if (params_.on_trouble && !std::exchange(exhausted, true)) {
            params_.on_trouble("accepting is paused", ec);
        }
        pause_.expires_after(pause_time);
        co_await pause_.async_wait(base::awaiting);
    }
}

// Takes connections from the kernel's queue. Returns why it stopped; none: there may be more.
boost::system::error_code listener::accept_waiting() {
    for (int taken = 0; taken < accepts_per_turn; ++taken) {
        ::sockaddr_storage peer{};
        ::socklen_t length = sizeof peer;
        const int fd = ::accept4(acceptor_.native_handle(), reinterpret_cast<::sockaddr*>(&peer), &length,
                                 SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            admit(fd, address_of(peer));
            continue;
        }
        const boost::system::error_code ec(errno, boost::system::system_category());
        if (ec == boost::system::errc::operation_would_block || is_exhaustion(ec)) {
            return ec;
        }  // else a client was gone before it was accepted
    }
    return {};
}

void listener::admit(int fd, const http::client_address& client) {
    if (params_.max_sessions == 0 || sessions_.size() < params_.max_sessions) {
        tasks_.spawn(run_session(fd, client));
        return;
    }
    if (params_.tls == nullptr) {
        static_cast<void>(::send(fd, busy_answer.data(), busy_answer.size(), MSG_NOSIGNAL | MSG_DONTWAIT));
    }
    ::close(fd);
}

base::task<> listener::run_session(int fd, http::client_address client) {
    crypto::ssl_handle tls;
    if (params_.tls != nullptr) {
        auto made = crypto::make_server_session(params_.tls);
        if (!made) {
            ::close(fd);
            co_return;
        }
        tls = std::move(*made);
    }
    session s(context_, net::byte_stream(context_.executor, fd, std::move(tls)), client);
    sessions_.push_back(s);
    co_await s.run();
    sessions_.erase(sessions_.iterator_to(s));
}

void listener::close() {
    if (!acceptor_.is_open() || !refuse_newcomers(acceptor_.native_handle())) {
        close_now();
        return;
    }
    closing_.expires_after(handshake_grace);
    closing_.async_wait([this](boost::system::error_code ec) {
        if (!ec) {
            close_now();
        }
    });
}

void listener::close_now() noexcept {
    if (!acceptor_.is_open()) {
        return;
    }
    for (int turn = 0; turn < asio::socket_base::max_listen_connections / accepts_per_turn && !accept_waiting();
         ++turn) {
    }
    boost::system::error_code ignored;
    acceptor_.close(ignored);
    pause_.cancel();
    closing_.cancel();
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
    close_now();
    for (session& s : sessions_) {
        s.kill();
    }
}

base::task<> listener::join() {
    return tasks_.join();
}

}  // namespace concurred::server
