#pragma once

#include "gateway/base/clock.hpp"
#include "gateway/base/error.hpp"
#include "gateway/base/event.hpp"
#include "gateway/base/executor.hpp"
#include "gateway/base/timing_wheel.hpp"
#include "gateway/http/abort_signal.hpp"
#include "gateway/net/byte_stream.hpp"
#include "gateway/net/dialer.hpp"
#include "gateway/net/pool_state.hpp"

#include <boost/intrusive/list.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>

namespace concurred::net {

class connection_pool;

/// The right to use one connection. Going away without `give_back` closes the connection at once, which is how an
/// upstream learns that nobody reads its answer any more. Must not outlive its pool.
class lease {
public:
    /// Empty.
    lease() = default;
    lease(lease&& other) noexcept { swap(other); }
    lease& operator=(lease&& other) noexcept {
        lease moved(std::move(other));
        swap(moved);
        return *this;
    }
    ~lease() { drop(); }

    [[nodiscard]] explicit operator bool() const noexcept { return pool_ != nullptr; }

    /// The connection; stays at its address. Not of an empty lease.
    [[nodiscard]] byte_stream& stream() const noexcept { return *stream_; }
    /// The connection has carried a request before: the peer may have closed it in the meantime.
    [[nodiscard]] bool reused() const noexcept { return reused_; }

    /// Ends the waits on the connection. Of an empty lease: nothing.
    void cancel() noexcept {
        if (stream_ != nullptr) {
            stream_->cancel();
        }
    }

    /// Lets others use the connection: an answer was read to its end and nothing behind it. The lease is empty
    /// afterwards.
    void give_back(base::steady_time now) noexcept;

private:
    friend class connection_pool;

    lease(connection_pool& pool, pool_state::slot id, byte_stream& stream, bool reused) noexcept
        : pool_(&pool), stream_(&stream), id_(id), reused_(reused) {}
    void swap(lease& other) noexcept;
    void drop() noexcept;

    connection_pool* pool_ = nullptr;
    byte_stream* stream_ = nullptr;
    pool_state::slot id_ = 0;
    bool reused_ = false;
};

struct pool_params {
    std::uint32_t max_connections = 1'024;
    std::uint32_t max_waiters = 1'024;
    std::chrono::milliseconds pool_wait{1'000};  ///< longest wait for a free connection; dialing comes on top
    std::chrono::milliseconds keepalive{55'000};
    std::chrono::milliseconds max_lifetime{600'000};
};

/// What a pool has and has done.
struct pool_counts {
    std::size_t open = 0;  ///< idle, in use or being opened
    std::size_t idle = 0;
    std::size_t waiting = 0;
    std::uint64_t dialed = 0;   ///< connections opened so far
    std::uint64_t reused = 0;   ///< leases of connections that were there
    std::uint64_t refused = 0;  ///< callers sent away because all connections were in use
};

/// The connections of one shard to one upstream, all alike: same address, same TLS context.
/// Must be empty but for idle connections when destroyed, and outlive the run of its executor's context.
class connection_pool {
public:
    /// @param wheel, connections outlive the pool
    connection_pool(base::executor ex, base::timing_wheel& wheel, dialer& connections, const pool_params& params);
    ~connection_pool();
    connection_pool(const connection_pool&) = delete;
    connection_pool& operator=(const connection_pool&) = delete;

    /// An idle connection that is fit for use, if there is one. Fit: nothing is there to read, so nobody ever takes
    /// what an upstream sent unasked for the answer to a request.
    [[nodiscard]] std::optional<lease> try_acquire(base::steady_time now);

    /// Completes with an idle connection or a new one; waits for one in use if there may be no more.
    /// @param abort ends the wait within a turn; outlives the call
    /// @param fresh_only only a new connection will do, because a reused one has just failed
    /// Errors: those of the dialer; errc::service_unavailable when all connections stay in use.
    [[nodiscard]] base::task<base::result<lease>> acquire(http::abort_signal& abort, bool fresh_only = false);

    void close_idle() noexcept;
    /// Closes what is past its time at `now`; the pool does this by itself.
    void close_expired(base::steady_time now) noexcept;

    [[nodiscard]] pool_counts counts() const noexcept;

private:
    friend class lease;

    struct waiter : boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
        explicit waiter(base::executor ex) noexcept : bell(ex) {}
        base::event bell;
        bool called = false;  // something has become free, and it is this one's turn
    };
    class place_in_line;
    class reserved_slot;

    [[nodiscard]] bool fit(pool_state::decision d) noexcept;
    [[nodiscard]] pool_state::decision decide(bool fresh_only, bool in_line);
    [[nodiscard]] base::task<base::result<pool_state::decision>> wait_in_line(http::abort_signal& abort,
                                                                              bool fresh_only);
    [[nodiscard]] lease lend(pool_state::slot id) noexcept;
    [[nodiscard]] base::error exhausted() noexcept;
    void give_back(pool_state::slot id, base::steady_time now) noexcept;
    void close(pool_state::slot id) noexcept;
    void call_next() noexcept;

    base::executor executor_;
    base::timing_wheel& wheel_;
    dialer& dialer_;
    std::chrono::milliseconds pool_wait_;
    pool_state state_;
    std::deque<std::optional<byte_stream>> streams_;  // by slot; a deque, because leases point into it
    base::timing_wheel::timer ageing_;
    boost::intrusive::list<waiter, boost::intrusive::constant_time_size<false>> line_;
    std::uint64_t dialed_ = 0;
    std::uint64_t reused_ = 0;
    std::uint64_t refused_ = 0;
};

}  // namespace concurred::net
