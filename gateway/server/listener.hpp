#pragma once

#include "gateway/base/config.hpp"
#include "gateway/base/error.hpp"
#include "gateway/base/task_group.hpp"
#include "gateway/server/session.hpp"

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/intrusive/list.hpp>

#include <functional>
#include <string>

namespace concurred::server {

/// The host of an address to listen on as an IP address: empty means all addresses, `localhost` is 127.0.0.1.
[[nodiscard]] std::string numeric_host(const base::endpoint_config& address);

/// Accepts connections on one address for one shard and runs their sessions. Every shard has a listener of its own on
/// the same address (SO_REUSEPORT); the kernel spreads the connections.
class listener {
public:
    struct params {
        SSL_CTX* tls = nullptr;        ///< null: plain HTTP; otherwise outlives the listener
        std::size_t max_sessions = 0;  ///< of this shard; further clients get a 503 and are closed
        /// Told of what operators should know: accepting is paused, or a session died of an exception.
        std::function<void(std::string_view what, boost::system::error_code)> on_trouble;
    };

    listener(session_context& context, params p);
    ~listener();

    /// Binds and listens.
    /// @return the address with the real port. Errors: in words, for the operator.
    [[nodiscard]] base::result<base::endpoint_config> open(const base::endpoint_config& address);
    /// Starts accepting. Call once after `open`.
    void start();

    /// No new connections from now on. Those that clients have opened already are still taken, so the socket is closed
    /// a moment later.
    void close();
    /// Ends connections that have no request in progress.
    void close_idle() noexcept;
    /// Ends the requests in progress, each with an error its client can read.
    void abort_requests() noexcept;
    /// Ends all connections now.
    void kill() noexcept;
    /// Completes when no session is left.
    [[nodiscard]] base::task<> join();

    [[nodiscard]] std::size_t sessions() const noexcept { return sessions_.size(); }

private:
    using acceptor = boost::asio::basic_socket_acceptor<boost::asio::ip::tcp, base::executor>;
    using timer =
        boost::asio::basic_waitable_timer<std::chrono::steady_clock,
                                          boost::asio::wait_traits<std::chrono::steady_clock>, base::executor>;

    [[nodiscard]] base::task<> accept_loop();
    [[nodiscard]] boost::system::error_code accept_waiting();
    void admit(int fd, const http::client_address& client);
    [[nodiscard]] base::task<> run_session(int fd, http::client_address client);
    void close_now() noexcept;

    session_context& context_;
    params params_;
    acceptor acceptor_;
    timer pause_;
    timer closing_;
    boost::intrusive::list<session> sessions_;
    base::task_group tasks_;
};

}  // namespace concurred::server
