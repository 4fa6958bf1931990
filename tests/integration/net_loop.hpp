#pragma once

#include "gateway/base/executor.hpp"
#include "gateway/base/timing_wheel.hpp"
#include "gateway/net/byte_stream.hpp"
#include "gateway/net/name_service.hpp"
#include "gateway/net/wheel_driver.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>

#include <chrono>
#include <deque>
#include <exception>
#include <functional>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace concurred::net::test {

/// What a spawned coroutine came to.
template <class T>
struct pending {
    std::optional<T> value;
    std::exception_ptr failure;
    bool done = false;
};

/// An event loop that the test turns by hand, with a timing wheel that follows the clock. Gives up after ten seconds.
class loop {
public:
    loop();
    ~loop();
    loop(const loop&) = delete;
    loop& operator=(const loop&) = delete;

    [[nodiscard]] base::executor executor() { return io_.get_executor(); }
    [[nodiscard]] base::timing_wheel& wheel() { return wheel_; }

    /// Starts `work` and lets it run as far as it gets without waiting. `into` outlives the work.
    template <class T>
    void start(base::task<T> work, pending<T>& into) {
        boost::asio::co_spawn(executor(), keep(std::move(work), into), [&into](std::exception_ptr failure) {
            into.failure = failure;
            into.done = true;
        });
        poll();
    }

    /// Runs `work` to its end and returns its value.
    template <class T>
    T run(base::task<T> work) {
        pending<T> p;
        start(std::move(work), p);
        return finish(p);
    }

    /// Waits for a started work and returns its value.
    template <class T>
    T finish(pending<T>& p) {
        run_until([&p] { return p.done; });
        if (p.failure) {
            std::rethrow_exception(p.failure);
        }
        return std::move(*p.value);
    }

    /// Runs what is ready, and what becomes ready by that, without waiting for anything.
    void poll();
    void run_until(const std::function<bool()>& condition);

private:
    template <class T>
    static base::task<> keep(base::task<T> work, pending<T>& into) {
        T value = co_await std::move(work);
        into.value.emplace(std::move(value));
    }

    boost::asio::io_context io_{1};
    base::timing_wheel wheel_{std::chrono::steady_clock::now()};
    wheel_driver driver_{io_.get_executor(), wheel_};
};

/// The other end of a connection, in the test's hands: plain blocking calls.
class peer {
public:
    explicit peer(boost::asio::ip::tcp::socket socket) : socket_(std::move(socket)) {}

    void send(std::string_view bytes);
    /// What arrives until the connection ends; "<reset>" behind it if it was reset.
    std::string read_to_end();
    /// FIN; reading goes on.
    void shutdown_send();
    void close();
    /// RST.
    void reset();
    [[nodiscard]] boost::asio::ip::tcp::socket& socket() { return socket_; }

private:
    boost::asio::ip::tcp::socket socket_;
};

/// Listens on a loopback address. Connections wait in the kernel until the test accepts them.
class server {
public:
    /// @param port 0: any that is free
    explicit server(const std::string& address = "127.0.0.1", unsigned short port = 0);

    [[nodiscard]] unsigned short port() const { return acceptor_.local_endpoint().port(); }
    [[nodiscard]] peer accept() { return peer(acceptor_.accept()); }
    /// Takes the next connection into the loop, if there is one.
    [[nodiscard]] bool try_accept(tcp_socket& into);
    /// A connection waits to be accepted.
    [[nodiscard]] bool has_waiting();
    void close() { acceptor_.close(); }

    /// From now on nobody gets through: further connections hang until they time out.
    void fill_backlog();

private:
    boost::asio::io_context io_{1};
    boost::asio::ip::tcp::acceptor acceptor_{io_};
    std::vector<boost::asio::ip::tcp::socket> in_the_way_;
};

/// Two ends of one connection, both with the loop.
std::pair<tcp_socket, tcp_socket> connected_pair(loop& l);

/// Answers lookups as the test says: at once, or when `release` is called.
class scripted_names final : public name_service {
public:
    explicit scripted_names(base::executor ex) : executor_(ex) {}

    void lookup(const std::string& host, answer done) override;

    /// Answers all lookups that wait.
    void release();

    std::map<std::string, std::vector<std::string>> known;  ///< other names do not exist
    bool hold = false;                                      ///< keep lookups waiting
    int lookups = 0;

private:
    void reply(const std::string& host, const answer& done);

    base::executor executor_;
    std::deque<std::pair<std::string, answer>> waiting_;
};

}  // namespace concurred::net::test
