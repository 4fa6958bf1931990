#pragma once

#include "crypto/openssl_handles.hpp"
#include "gateway/base/error.hpp"
#include "gateway/base/executor.hpp"
#include "storage/redis_url.hpp"

#include <boost/asio/generic/stream_protocol.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace concurred::storage {

/// A socket to Redis: TCP, TLS on TCP, or a Unix socket, with one vocabulary for all: try now, and where that would
/// block, wait and try again. Belongs to one shard.
class redis_socket {
public:
    using wait_type = boost::asio::socket_base::wait_type;

    enum class status : std::uint8_t { ok, want_read, want_write, closed };
    struct outcome {
        status is = status::ok;
        std::size_t bytes = 0;
    };

    explicit redis_socket(base::executor ex) : executor_(ex), socket_(ex) {}
    redis_socket(const redis_socket&) = delete;
    redis_socket& operator=(const redis_socket&) = delete;

    /// Completes with the connection open, under TLS with the server verified. `close` ends it early (a name lookup
    /// goes on in the background until the system has answered). Errors: in words for the operator.
    /// @param tls null unless `via` is TLS; outlives the socket
    [[nodiscard]] base::task<base::result<void>> open(redis_url::transport via, redis_address to, SSL_CTX* tls);

    [[nodiscard]] outcome try_read(std::span<char> into) noexcept;
    [[nodiscard]] outcome try_write(std::string_view bytes) noexcept;

    /// Completes when the socket is ready, or with operation_aborted after `close`.
    template <class Token>
    auto async_wait(wait_type what, Token&& token) {
        return socket_.async_wait(what, std::forward<Token>(token));
    }

    /// Ends all waits.
    void close() noexcept;
    [[nodiscard]] bool is_open() const noexcept { return socket_.is_open(); }

private:
    using protocol = boost::asio::generic::stream_protocol;
    using endpoint = protocol::endpoint;

    [[nodiscard]] base::task<boost::system::error_code> connect(endpoint to);
    [[nodiscard]] base::task<base::result<void>> shake_hands(std::string_view host, SSL_CTX* tls);
    [[nodiscard]] outcome tls_outcome(int returned, std::size_t bytes) noexcept;

    base::executor executor_;
    boost::asio::basic_stream_socket<protocol, base::executor> socket_;
    crypto::ssl_handle tls_;
    bool closed_ = false;  // since `open` was called
};

}  // namespace concurred::storage
