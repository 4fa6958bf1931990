#pragma once

#include "gateway/base/executor.hpp"

#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>

#include <cassert>
#include <optional>
#include <utility>

namespace concurred::base {

/// A bell for one waiting coroutine of the same shard. It carries no data: keep that beside it.
/// A ring while nobody waits is remembered once, so a wake-up cannot be missed.
/// Costs no allocation: the waiting coroutine's handler is stored in place.
class event {
    using token = boost::asio::use_awaitable_t<executor>;
    using handler = typename boost::asio::async_result<token, void()>::handler_type;

public:
    explicit event(executor ex) noexcept : executor_(ex) {}
    event(const event&) = delete;
    event& operator=(const event&) = delete;

    /// Takes a remembered ring. Ask this first: `if (!bell.take()) { co_await bell.wait(); }`
    [[nodiscard]] bool take() noexcept { return std::exchange(rung_, false); }

    /// Completes after the next `ring`. At most one coroutine may wait at a time.
    [[nodiscard]] task<> wait() {
        token awaiting_ring;
        return boost::asio::async_initiate<token, void()>(keep_handler{this}, awaiting_ring);
    }

    /// Wakes the waiting coroutine through the shard's queue; it never runs inside this call.
    void ring() {
        if (!waiting_) {
            rung_ = true;
            return;
        }
        handler h = std::move(*waiting_);
        waiting_.reset();
        boost::asio::post(executor_, std::move(h));
    }

    /// Wakes the waiting coroutine inside this call, which saves the way through the queue. Only for the shard's loop
    /// itself, where nothing is half done. Somebody must wait.
    void resume() {
        assert(waiting_);
        handler h = std::move(*waiting_);
        waiting_.reset();
        std::move(h)();
    }

    /// Destroys the waiting coroutine, when the loop has ended for good.
    void drop() noexcept { const std::optional<handler> dropped = std::exchange(waiting_, std::nullopt); }

    [[nodiscard]] bool has_waiter() const noexcept { return waiting_.has_value(); }

private:
    struct keep_handler {
        event* self;
        template <class Handler>
        void operator()(Handler&& h) const {
            assert(!self->waiting_);
            self->waiting_.emplace(std::forward<Handler>(h));
        }
    };

    executor executor_;
    std::optional<handler> waiting_;
    bool rung_ = false;
};

}  // namespace concurred::base
