#include "bench/mock.hpp"

#include "bench/descriptor_limit.hpp"
#include "bench/mock_ledger.hpp"
#include "bench/mock_settings.hpp"
#include "bench/mock_worker.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/ssl/context.hpp>

#include <sys/socket.h>
#include <unistd.h>
#include <csignal>
#include <cstring>
#include <iostream>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

namespace concurred::bench {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

constexpr int exit_usage = 64;
constexpr int exit_unavailable = 69;

int complain(int code, const std::string& what) {
    std::cerr << "mock: " << what << '\n';
    return code;
}

std::unique_ptr<asio::ssl::context> make_tls(const mock_options& options) {
    if (options.tls_cert.empty()) {
        return nullptr;
    }
    auto tls = std::make_unique<asio::ssl::context>(asio::ssl::context::tls_server);
    tls->set_options(asio::ssl::context::no_sslv2 | asio::ssl::context::no_sslv3 | asio::ssl::context::no_tlsv1 |
                     asio::ssl::context::no_tlsv1_1);
    tls->use_certificate_chain_file(options.tls_cert);
    tls->use_private_key_file(options.tls_key, asio::ssl::context::pem);
    return tls;
}

std::uint16_t port_of(int listener) noexcept {
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
    tcp::endpoint endpoint;
    endpoint.resize(size);
    std::memcpy(endpoint.data(), &address, size);
    return endpoint.port();
}

/// One listening socket per thread, all on the port of the first.
std::vector<int> open_listeners(tcp::endpoint& endpoint, unsigned threads, boost::system::error_code& failure) {
    if (threads > 1 && endpoint.port() != 0) {
        // With SO_REUSEPORT a forgotten second process would silently share the traffic: see that the port is free.
        const int probe = open_mock_listener(endpoint, false, failure);
        if (probe < 0) {
            return {};
        }
        ::close(probe);
    }
    std::vector<int> listeners;
    for (unsigned i = 0; i < threads && !failure; ++i) {
        const int listener = open_mock_listener(endpoint, threads > 1, failure);
        if (listener >= 0) {
            listeners.push_back(listener);
            endpoint.port(port_of(listener));
        }
    }
    return listeners;
}

int serve(const mock_options& options, asio::ssl::context* tls, tcp::endpoint endpoint) {
    asio::io_context signals_context{1};
    asio::signal_set signals(signals_context, SIGINT, SIGTERM);

    boost::system::error_code failure;
    const auto listeners = open_listeners(endpoint, options.threads, failure);
    if (failure) {
        return complain(exit_unavailable, "cannot listen on " + options.host + ": " + failure.message());
    }
    const std::string host = endpoint.address().is_v6() ? "[" + options.host + "]" : options.host;
    const std::string url = (tls != nullptr ? "https://" : "http://") + host + ":" + std::to_string(endpoint.port());

    mock_board board(options.threads);
    std::vector<std::unique_ptr<mock_worker>> workers;
    for (unsigned i = 0; i < options.threads; ++i) {
        workers.push_back(
            std::make_unique<mock_worker>(options, board, i, tls, endpoint.protocol(), listeners[i], url));
    }
    std::vector<std::jthread> threads;
    threads.reserve(workers.size());
    for (const auto& worker : workers) {
        threads.emplace_back([&worker] { worker->run(); });
    }
    std::cout << "mock provider listening on " << url << "/v1" << std::endl;
    signals.async_wait([](const boost::system::error_code&, int) {});
    signals_context.run();
    for (const auto& worker : workers) {
        worker->stop();
    }
    return 0;
}

}  // namespace

int run_mock(const mock_options& options) {
    mock_settings checked;
    if (const auto wrong = apply_mock_spec(options.defaults, checked)) {
        return complain(exit_usage, *wrong);
    }
    if (options.threads < 1 || options.threads > 64) {
        return complain(exit_usage, "the number of threads must be from 1 to 64");
    }
    if (options.tls_cert.empty() != options.tls_key.empty()) {
        return complain(exit_usage, "certificate and key are needed together");
    }
    boost::system::error_code failure;
    const auto address = asio::ip::make_address(options.host, failure);
    if (failure) {
        return complain(exit_usage, "the address to listen on must be numeric: " + options.host);
    }
    raise_descriptor_limit();
    std::unique_ptr<asio::ssl::context> tls;
    try {
        tls = make_tls(options);
    } catch (const boost::system::system_error& problem) {
        return complain(exit_usage, std::string("certificate or key cannot be used: ") + problem.what());
    }
    return serve(options, tls.get(), tcp::endpoint(address, options.port));
}

}  // namespace concurred::bench
