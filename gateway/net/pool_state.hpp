#pragma once

#include "gateway/base/clock.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace concurred::net {

/// What a pool may hold.
struct pool_limits {
    std::uint32_t max_connections = 1'024;
    std::uint32_t max_waiters = 1'024;                ///< callers in line for a connection; more are refused at once
    std::chrono::milliseconds keepalive{55'000};      ///< a connection that was idle for this long is closed
    std::chrono::milliseconds max_lifetime{600'000};  ///< an older connection is not used for another request
};

/// Decides for a pool: use an idle connection, open one, wait or refuse. Knows connections by the number of their slot
/// and does no I/O. Whoever asks carries the decision out and tells what became of it.
class pool_state {
public:
    using slot = std::uint32_t;

    enum class verdict {
        reuse,    ///< the connection in the slot is the caller's
        discard,  ///< the connection in the slot is too old: close it, tell `closed`, ask again
        open,     ///< the slot is the caller's: close what is in it, if anything, and open a connection there
        wait,     ///< stand in line
        refuse,   ///< the line is full
    };

    struct decision {
        verdict what = verdict::refuse;
        slot id = 0;  ///< with `reuse`, `discard` and `open`
    };

    explicit pool_state(const pool_limits& limits) : limits_(limits) {}

    /// The idle connection that was used last, as `reuse` or `discard`. Nothing if there is none, or somebody is in
    /// line.
    [[nodiscard]] std::optional<decision> take_idle(base::steady_time now);

    /// What a caller gets.
    /// @param fresh_only a connection that was used before will not do: the one idle for the longest makes room if need
    /// be
    /// @param in_line the caller stands in line already and was called
    [[nodiscard]] decision acquire(base::steady_time now, bool fresh_only, bool in_line);
    void join_line() noexcept { ++waiting_; }
    void leave_line() noexcept { --waiting_; }

    /// The connection of a slot from `open` is there.
    void opened(slot id, base::steady_time now) noexcept;
    /// The slot is empty again: its connection was closed, or was never opened.
    void closed(slot id);
    /// A connection is free for others. False: it has reached its lifetime; close it and tell `closed`.
    [[nodiscard]] bool give_back(slot id, base::steady_time now);

    /// An idle connection that is past its time, to be closed and told `closed`; nothing when none is left.
    [[nodiscard]] std::optional<slot> take_expired(base::steady_time now);
    /// Any idle connection, to be closed and told `closed`.
    [[nodiscard]] std::optional<slot> take_any_idle();
    /// When the next idle connection is past its time; nothing while none is idle.
    [[nodiscard]] std::optional<base::steady_time> next_expiry() const noexcept;

    /// Connections that are idle, in use or being opened.
    [[nodiscard]] std::size_t open() const noexcept { return slots_.size() - free_.size(); }
    [[nodiscard]] std::size_t idle() const noexcept { return idle_.size(); }
    [[nodiscard]] std::size_t busy() const noexcept { return open() - idle(); }
    [[nodiscard]] std::size_t waiting() const noexcept { return waiting_; }

private:
    struct record {
        base::steady_time opened;
        base::steady_time idle_since;
    };

    [[nodiscard]] bool too_old(slot id, base::steady_time now) const noexcept;
    [[nodiscard]] decision pick_idle(base::steady_time now);
    [[nodiscard]] slot take_oldest_idle();

    pool_limits limits_;
    std::vector<record> slots_;  // grows up to max_connections
    std::vector<slot> free_;
    std::vector<slot> idle_;  // in the order of their return: the back was used last
    std::uint32_t waiting_ = 0;
};

}  // namespace concurred::net
