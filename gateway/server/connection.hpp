#pragma once

#include "gateway/base/clock.hpp"
#include "gateway/base/event.hpp"
#include "gateway/base/timing_wheel.hpp"
#include "gateway/http/abort_signal.hpp"
#include "gateway/net/byte_stream.hpp"

#include <chrono>
#include <cstdint>
#include <span>

namespace concurred::server {

/// A client's connection: reading and writing under one deadline, and a watch on the client while its request is worked
/// on. At any time at most one wait for readability is pending: it wakes the reader when the connection reads, and
/// tells of a client that left when it does not. So watching costs no system call of its own.
class connection {
public:
    connection(base::executor ex, base::timing_wheel& wheel, net::byte_stream stream);
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
    /// Waits for the pending readiness wait to end; the connection may be destroyed afterwards. With `linger`, what the
    /// client still sends is read and dropped for a short time, so that it can read the answer before the connection
    /// goes away.
    [[nodiscard]] base::task<> close(bool linger);

    [[nodiscard]] bool waiting_to_read() const noexcept { return reading_; }
    /// Whether the client has sent something that is not read yet, or has left. Asks the kernel.
    [[nodiscard]] bool has_input() const noexcept { return !stream_.quiet(); }
    [[nodiscard]] std::uint64_t bytes_written() const noexcept { return written_; }

private:
    void arm();
    void on_readable();
    void on_deadline();
    [[nodiscard]] base::task<> drop_input();
    [[nodiscard]] net::io_result interrupted() const noexcept;

    base::event readable_;
    base::timing_wheel::timer timer_;
    base::timing_wheel::timer poll_;  // stands in for the watch while unread data keeps the socket readable
    net::byte_stream stream_;
    http::abort_signal* signal_ = nullptr;
    std::uint64_t written_ = 0;
    bool armed_ = false;           // a wait for readability is pending
    bool reading_ = false;         // a coroutine waits for that
    bool maybe_readable_ = false;  // a read may find data without waiting
    bool timed_out_ = false;
    bool stopped_ = false;
};

}  // namespace concurred::server
