#pragma once

#include "bench/mock.hpp"
#include "bench/mock_connection.hpp"
#include "bench/mock_ledger.hpp"
#include "bench/mock_responder.hpp"

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>

#include <memory>
#include <string>
#include <vector>

namespace concurred::bench {

/// The listening socket for `endpoint`. \param shared with SO_REUSEPORT, for several threads
/// \returns a descriptor, to be given to a worker; -1 with `failure` set if the address cannot be used
[[nodiscard]] int open_mock_listener(const boost::asio::ip::tcp::endpoint& endpoint, bool shared,
                                     boost::system::error_code& failure) noexcept;

/// One thread of the mock provider: its io_context, acceptor and connections.
class mock_worker final : private mock_connection::owner {
public:
    /// \param options, \param board and \param tls outlive it; \param tls null: plain TCP
    /// \param listener descriptor of a listening socket; owned from here on
    mock_worker(const mock_options& options, mock_board& board, unsigned index, boost::asio::ssl::context* tls,
                const boost::asio::ip::tcp& protocol, int listener, std::string base_url);
    ~mock_worker();
    mock_worker(const mock_worker&) = delete;
    mock_worker& operator=(const mock_worker&) = delete;

    /// Serves on the calling thread until `stop`.
    void run();
    /// Ends `run`; from any thread.
    void stop() { context_.stop(); }

private:
    using executor_type = boost::asio::io_context::executor_type;

    void release(mock_connection& connection) noexcept override;
    void accept();
    void accepted(const boost::system::error_code& failure, mock_transport::socket_type socket);

    boost::asio::io_context context_{1};
    boost::asio::ssl::context* tls_;
    mock_responder responder_;
    boost::asio::basic_socket_acceptor<boost::asio::ip::tcp, executor_type> acceptor_;
    boost::asio::basic_waitable_timer<std::chrono::steady_clock, boost::asio::wait_traits<std::chrono::steady_clock>,
                                      executor_type>
        pause_;  // after an accept that failed for want of descriptors
    std::vector<std::unique_ptr<mock_connection>> connections_;
};

}  // namespace concurred::bench
