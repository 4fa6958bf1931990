#pragma once

#include "gateway/base/event.hpp"
#include "gateway/base/timing_wheel.hpp"
#include "gateway/http/abort_signal.hpp"

namespace concurred::upstream {

/// Waits until a time, or until a request is told to stop. For one wait of one coroutine.
class pause {
public:
    /// @param abort  ends the wait within a turn; outlives this
    pause(base::executor ex, base::timing_wheel& wheel, http::abort_signal& abort, base::steady_time until)
        : bell_(ex),
          timer_(
              wheel, [](void* self) { static_cast<pause*>(self)->bell_.ring(); }, this),
          on_abort_(
              abort, [](void* self) noexcept { static_cast<pause*>(self)->bell_.ring(); }, this) {
        timer_.expires_at(until);
        if (abort.fired()) {
            bell_.ring();
        }
    }

    [[nodiscard]] base::task<> wait() {
        if (!bell_.take()) {
            co_await bell_.wait();
        }
    }

private:
    base::event bell_;
    base::timing_wheel::timer timer_;
    http::abort_signal::scope on_abort_;
};

/// An abort signal that fires at a deadline too, for waits that know no deadline of their own.
class timed_abort {
public:
    /// @param outer  fires this one as well; outlives it
    timed_abort(base::timing_wheel& wheel, http::abort_signal& outer, base::steady_time deadline)
        : outer_(outer),
          timer_(
              wheel, [](void* self) { static_cast<timed_abort*>(self)->overdue(); }, this),
          on_abort_(
              outer, [](void* self) noexcept { static_cast<timed_abort*>(self)->pass_on(); }, this) {
        timer_.expires_at(deadline);
        pass_on();
    }

    [[nodiscard]] http::abort_signal& signal() noexcept { return signal_; }
    /// It was the deadline.
    [[nodiscard]] bool expired() const noexcept { return expired_; }

private:
    void overdue() noexcept {
        expired_ = true;
        signal_.fire(http::abort_reason::drain_deadline);
    }
    void pass_on() noexcept {
        if (outer_.fired()) {
            signal_.fire(outer_.reason());
        }
    }

    http::abort_signal& outer_;
    http::abort_signal signal_;
    base::timing_wheel::timer timer_;
    http::abort_signal::scope on_abort_;
    bool expired_ = false;
};

}  // namespace concurred::upstream
