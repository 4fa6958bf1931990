#pragma once

#include "gateway/base/buffer_pool.hpp"
#include "gateway/http/chunk_decoder.hpp"
#include "gateway/http/exchange.hpp"
#include "gateway/server/connection.hpp"
#include "gateway/server/input_buffer.hpp"

#include <cstdint>
#include <memory>
#include <string_view>

namespace concurred::server {

/// Reads the body of one request from its connection: nothing until it is asked for, at most `limit` octets, and never
/// an octet of the next request. A body that came together with its head is not copied.
class body_reader final : public http::request_body {
public:
    body_reader(connection& conn, base::buffer_pool& pool, input_buffer& input, const base::limits_config& limits)
        : conn_(conn), pool_(pool), input_(input), limits_(limits) {}

    /// Begins with a new request; `head_size` octets at the front of the input are its head and stay there.
    void begin(const http::request_head& head, std::size_t head_size, http::abort_signal& abort);

    [[nodiscard]] std::optional<std::string_view> ready() noexcept override;
    [[nodiscard]] base::task<base::result<std::string_view>> read() override;
    void release() noexcept override;

    /// The answer was given; drops what was not read of the body, if that is little. False: the connection cannot be
    /// used again.
    [[nodiscard]] base::task<bool> finish();
    /// Whether `finish` will succeed as far as can be told: the connection may be announced as kept.
    [[nodiscard]] bool can_finish() const noexcept;
    /// Octets of the body as sent, so far.
    [[nodiscard]] std::uint64_t received() const noexcept { return received_; }

private:
    [[nodiscard]] base::result<void> check_limit() const;
    [[nodiscard]] base::result<void> take(std::string_view wire);
    [[nodiscard]] base::task<base::result<void>> fill();
    [[nodiscard]] base::task<base::result<void>> send_continue();
    [[nodiscard]] char* room(std::size_t more);
    [[nodiscard]] base::error read_error(const net::io_result& r) const;

    connection& conn_;
    base::buffer_pool& pool_;
    input_buffer& input_;  // [head][octets behind it]
    const base::limits_config& limits_;
    http::abort_signal* abort_ = nullptr;
    const http::request_head* head_ = nullptr;
    std::size_t head_size_ = 0;
    http::chunk_decoder decoder_;
    std::unique_ptr<char[]> body_;  // unless the body lies in the input
    std::size_t capacity_ = 0;
    std::size_t size_ = 0;        // octets of body so far
    std::uint64_t expected_ = 0;  // with Content-Length: octets of body still to come
    std::uint64_t received_ = 0;
    bool complete_ = true;
    bool in_place_ = false;
    bool continue_due_ = false;
    bool broken_ = false;
};

}  // namespace concurred::server
