#include "gateway/net/connection_pool.hpp"

#include "gateway/net/interruption.hpp"

#include <cassert>
#include <utility>

namespace concurred::net {

using base::result;
using clock = std::chrono::steady_clock;
using verdict = pool_state::verdict;

void lease::swap(lease& other) noexcept {
    std::swap(pool_, other.pool_);
    std::swap(stream_, other.stream_);
    std::swap(id_, other.id_);
    std::swap(reused_, other.reused_);
}

void lease::drop() noexcept {
    if (pool_ != nullptr) {
        stream_ = nullptr;
        std::exchange(pool_, nullptr)->close(id_);
    }
}

void lease::give_back(base::steady_time now) noexcept {
    assert(pool_ != nullptr);
    stream_ = nullptr;
    std::exchange(pool_, nullptr)->give_back(id_, now);
}

/// A caller who waits for a connection, from joining the line to leaving it.
class connection_pool::place_in_line : waiter {
public:
    place_in_line(connection_pool& pool, http::abort_signal& abort)
        : waiter(pool.executor_),
          pool_(pool),
          timer_(
              pool.wheel_, [](void* self) { static_cast<place_in_line*>(self)->give_up(); }, this),
          on_abort_(
              abort, [](void* self) noexcept { static_cast<place_in_line*>(self)->bell.ring(); }, this) {
        timer_.expires_at(clock::now() + pool.pool_wait_);
        pool.state_.join_line();
        pool.line_.push_back(*this);
    }
    ~place_in_line() {
        unlink();
        pool_.state_.leave_line();
        if (called) {
            pool_.call_next();  // it was called and leaves without taking anything: the next one's turn
        }
    }

    /// Completes when this caller is called, overdue or aborted.
    base::task<> wait() {
        called = false;
        if (!bell.take()) {
            co_await bell.wait();
        }
    }
    void served() noexcept { called = false; }
    [[nodiscard]] bool overdue() const noexcept { return overdue_; }

private:
    void give_up() {
        overdue_ = true;
        bell.ring();
    }

    connection_pool& pool_;
    base::timing_wheel::timer timer_;
    http::abort_signal::scope on_abort_;
    bool overdue_ = false;
};

/// A slot for a connection that is being opened.
class connection_pool::reserved_slot {
public:
    reserved_slot(connection_pool& pool, pool_state::slot id) : pool_(pool), id_(id) {
        if (id >= pool.streams_.size()) {
            pool.streams_.resize(id + 1);
        }
        pool.streams_[id].reset();
    }
    ~reserved_slot() {
        if (!filled_) {
            pool_.close(id_);
        }
    }
    reserved_slot(const reserved_slot&) = delete;
    reserved_slot& operator=(const reserved_slot&) = delete;

    lease fill(byte_stream stream) {
        filled_ = true;
        pool_.streams_[id_].emplace(std::move(stream));
        pool_.state_.opened(id_, clock::now());
        ++pool_.dialed_;
        return {pool_, id_, *pool_.streams_[id_], false};
    }

private:
    connection_pool& pool_;
    pool_state::slot id_;
    bool filled_ = false;
};

connection_pool::connection_pool(base::executor ex, base::timing_wheel& wheel, dialer& connections,
                                 const pool_params& params)
    : executor_(ex),
      wheel_(wheel),
      dialer_(connections),
      pool_wait_(params.pool_wait),
      state_({.max_connections = params.max_connections,
              .max_waiters = params.max_waiters,
              .keepalive = params.keepalive,
              .max_lifetime = params.max_lifetime}),
      ageing_(
          wheel, [](void* self) { static_cast<connection_pool*>(self)->close_expired(clock::now()); }, this) {}

connection_pool::~connection_pool() {
    assert(state_.busy() == 0 && "a pool is destroyed while a connection of it is leased");
    assert(state_.waiting() == 0 && "a pool is destroyed while somebody waits for it");
}

// Whether an idle connection that was picked can be used; else it is closed.
bool connection_pool::fit(pool_state::decision d) noexcept {
    if (d.what == verdict::reuse && streams_[d.id]->seems_quiet()) {
        return true;
    }
    close(d.id);
    return false;
}

lease connection_pool::lend(pool_state::slot id) noexcept {
    ++reused_;
    return {*this, id, *streams_[id], true};
}

std::optional<lease> connection_pool::try_acquire(base::steady_time now) {
    while (const auto picked = state_.take_idle(now)) {
        if (fit(*picked)) {
            return lend(picked->id);
        }
    }
    return std::nullopt;
}

// As the state decides, but never `discard`.
pool_state::decision connection_pool::decide(bool fresh_only, bool in_line) {
    for (;;) {
        const pool_state::decision d = state_.acquire(clock::now(), fresh_only, in_line);
        const bool idle = d.what == verdict::reuse || d.what == verdict::discard;
        if (!idle || fit(d)) {
            return d;
        }
    }
}

base::error connection_pool::exhausted() noexcept {
    ++refused_;
    base::error e = base::gateway_error(base::errc::service_unavailable,
                                        "All connections to the provider are in use. Try again in a moment.");
    e.retry = base::retry_class::safe;
    e.retry_after = std::chrono::seconds(1);
    return e;
}

base::task<result<pool_state::decision>> connection_pool::wait_in_line(http::abort_signal& abort, bool fresh_only) {
    place_in_line place(*this, abort);
    for (;;) {
        co_await place.wait();
        if (abort.fired()) {
            co_return aborted(abort.reason());
        }
        const pool_state::decision d = decide(fresh_only, true);
        if (d.what != verdict::wait) {
            place.served();
            co_return d;
        }
        if (place.overdue()) {
            co_return exhausted();
        }
    }
}

base::task<result<lease>> connection_pool::acquire(http::abort_signal& abort, bool fresh_only) {
    if (abort.fired()) {
        co_return aborted(abort.reason());
    }
    pool_state::decision d = decide(fresh_only, false);
    if (d.what == verdict::wait) {
        const result<pool_state::decision> turn = co_await wait_in_line(abort, fresh_only);
        if (!turn) {
            co_return turn.error();
        }
        d = *turn;
    }
    if (d.what == verdict::refuse) {
        co_return exhausted();
    }
    if (d.what == verdict::reuse) {
        co_return lend(d.id);
    }
    reserved_slot place(*this, d.id);
    result<byte_stream> dialed = co_await dialer_.dial(abort);
    if (!dialed) {
        co_return dialed.error();
    }
    lease fresh = place.fill(std::move(*dialed));
    if (abort.fired()) {
        fresh.give_back(clock::now());  // somebody else can use it
        co_return aborted(abort.reason());
    }
    co_return std::move(fresh);
}

void connection_pool::give_back(pool_state::slot id, base::steady_time now) noexcept {
    if (!state_.give_back(id, now)) {
        close(id);
        return;
    }
    if (!ageing_.armed()) {
        ageing_.expires_at(*state_.next_expiry());
    }
    call_next();
}

void connection_pool::close(pool_state::slot id) noexcept {
    streams_[id].reset();
    state_.closed(id);
    call_next();
}

// Something has become free: the first in line who was not called yet may try.
void connection_pool::call_next() noexcept {
    for (waiter& w : line_) {
        if (!w.called) {
            w.called = true;
            w.bell.ring();
            return;
        }
    }
}

void connection_pool::close_idle() noexcept {
    while (const auto id = state_.take_any_idle()) {
        close(*id);
    }
}

void connection_pool::close_expired(base::steady_time now) noexcept {
    while (const auto id = state_.take_expired(now)) {
        close(*id);
    }
    if (const auto next = state_.next_expiry()) {
        ageing_.expires_at(*next);
    }
}

pool_counts connection_pool::counts() const noexcept {
    return {.open = state_.open(),
            .idle = state_.idle(),
            .waiting = state_.waiting(),
            .dialed = dialed_,
            .reused = reused_,
            .refused = refused_};
}

}  // namespace concurred::net
