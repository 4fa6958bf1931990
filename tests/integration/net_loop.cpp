#include "tests/integration/net_loop.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/write.hpp>

#include <poll.h>
#include <sys/socket.h>

#include <array>

namespace concurred::net::test {

namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

constexpr std::chrono::seconds patience{10};

tcp::endpoint endpoint(const std::string& address, unsigned short port) {
    return {asio::ip::make_address(address), port};
}

}  // namespace

loop::loop() {
    driver_.start();
}

loop::~loop() {
    driver_.stop();
    poll();
}

void loop::poll() {
    io_.restart();
    io_.poll();
}

void loop::run_until(const std::function<bool()>& condition) {
    const auto deadline = std::chrono::steady_clock::now() + patience;
    io_.restart();
    while (!condition()) {
        io_.run_one_until(deadline);
        if (std::chrono::steady_clock::now() >= deadline) {
            throw std::runtime_error("what the test waits for does not happen");
        }
    }
}

void peer::send(std::string_view bytes) {
    asio::write(socket_, asio::buffer(bytes));
}

std::string peer::read_to_end() {
    std::string all;
    std::array<char, 4'096> block;
    for (;;) {
        boost::system::error_code ec;
        const std::size_t n = socket_.read_some(asio::buffer(block), ec);
        all.append(block.data(), n);
        if (ec) {
            return ec == asio::error::eof ? all : all + "<reset>";
        }
    }
}

void peer::shutdown_send() {
    socket_.shutdown(tcp::socket::shutdown_send);
}

void peer::close() {
    socket_.close();
}

void peer::reset() {
    socket_.set_option(asio::socket_base::linger(true, 0));
    socket_.close();
}

server::server(const std::string& address, unsigned short port) {
    const tcp::endpoint at = endpoint(address, port);
    acceptor_.open(at.protocol());
    acceptor_.set_option(tcp::acceptor::reuse_address(true));
    acceptor_.bind(at);
    acceptor_.listen();
}

bool server::try_accept(tcp_socket& into) {
    if (!has_waiting()) {
        return false;
    }
    acceptor_.accept(into);
    return true;
}

bool server::has_waiting() {
    ::pollfd watched{};
    watched.fd = acceptor_.native_handle();
    watched.events = POLLIN;
    return ::poll(&watched, 1, 0) == 1;
}

void server::fill_backlog() {
    acceptor_.listen(0);
    // The kernel lets one more in than the backlog says; those after it stay half open.
    for (int i = 0; i < 4; ++i) {
        tcp::socket socket(io_);
        socket.open(tcp::v4());
        socket.non_blocking(true);
        // Asio's own connect waits for the outcome even on a non-blocking socket.
        const tcp::endpoint to = acceptor_.local_endpoint();
        static_cast<void>(::connect(socket.native_handle(), to.data(), static_cast<::socklen_t>(to.size())));
        in_the_way_.push_back(std::move(socket));
    }
}

std::pair<tcp_socket, tcp_socket> connected_pair(loop& l) {
    asio::basic_socket_acceptor<tcp, base::executor> acceptor(l.executor(), endpoint("127.0.0.1", 0));
    tcp_socket one(l.executor());
    one.connect(acceptor.local_endpoint());
    tcp_socket other(l.executor());
    acceptor.accept(other);
    return {std::move(one), std::move(other)};
}

void scripted_names::lookup(const std::string& host, answer done) {
    ++lookups;
    if (hold) {
        waiting_.emplace_back(host, std::move(done));
        return;
    }
    asio::post(executor_, [this, host, done = std::move(done)] { reply(host, done); });
}

void scripted_names::release() {
    hold = false;
    for (; !waiting_.empty(); waiting_.pop_front()) {
        asio::post(executor_, [this, next = waiting_.front()] { reply(next.first, next.second); });
    }
}

void scripted_names::reply(const std::string& host, const answer& done) {
    address_list addresses;
    for (const std::string& address : known[host]) {
        addresses.add(asio::ip::make_address(address));
    }
    done(addresses.empty() ? boost::system::error_code(asio::error::host_not_found) : boost::system::error_code(),
         addresses);
}

}  // namespace concurred::net::test
