#pragma once

#include "gateway/base/clock.hpp"
#include "gateway/base/timing_wheel.hpp"
#include "gateway/http/abort_signal.hpp"
#include "gateway/net/byte_stream.hpp"

#include <chrono>
#include <cstdint>
#include <span>

namespace concurred::server {

/// A client's connection: reading and writing under one deadline, and a watch on the client while its request is worked
/// on.
class connection {
public:
    connection(base::timing_wheel& wheel, net::byte_stream stream);
    connection(const connection&) = delete;
    connection& operator=(const connection&) = delete;

    /// Completes the TLS handshake; at once for plain connections. False: the client failed or left.
    [[nodiscard]] base::task<bool> handshake();

    /// Completes when a read may find data; false: the deadline passed or `stop` was called. Needs no buffer.
    [[nodiscard]] base::task<bool> readable();
    /// Completes with at least one byte, or `closed`, or `failed` (timed_out: the deadline; operation_aborted: `stop`).
    [[nodiscard]] base::task<net::io_result> read(std::span<char> into);
    /// Completes when all pieces are written. The pieces are consumed.
    [[nodiscard]] base::task<net::io_result> write(std::span<::iovec> pieces, std::chrono::milliseconds stall);

    /// From now on a client that closes its side fires `signal`; null ends the watch.
    void watch(http::abort_signal* signal);

    /// After this long without `set_deadline` or `clear_deadline` the current wait fails with timed_out.
    void set_deadline(base::steady_time at) noexcept { timer_.expires_at(at); }
    void clear_deadline() noexcept { timer_.clear(); }

    /// Ends the current wait, and every later one, with operation_aborted.
    void stop() noexcept;
    /// Closes it. With `linger`, what the client still sends is read and dropped for a short time, so that it can read
    /// the answer before the connection goes away.
    [[nodiscard]] base::task<> close(bool linger);

    /// Whether the client has sent something that is not read yet, or has left. Asks the kernel.
    [[nodiscard]] bool has_input() const noexcept { return !stream_.quiet(); }
    [[nodiscard]] std::uint64_t bytes_written() const noexcept { return written_; }

private:
    [[nodiscard]] base::task<bool> wait(net::wait_type what);
    void client_left();
    void on_deadline();
    [[nodiscard]] base::task<> drop_input();
    [[nodiscard]] net::io_result interrupted() const noexcept;

    base::timing_wheel::timer timer_;
    net::byte_stream stream_;
    http::abort_signal* signal_ = nullptr;
    std::uint64_t written_ = 0;
    bool timed_out_ = false;
    bool stopped_ = false;
};

}  // namespace concurred::server
