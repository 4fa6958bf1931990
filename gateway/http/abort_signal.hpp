#pragma once

#include <utility>

namespace concurred::http {

/// Why a request in progress has to stop.
enum class abort_reason {
    none,
    client_gone,    ///< nobody waits for the answer any more
    drain_deadline  ///< the process ends now
};

/// Carries the wish to stop from the connection to whatever the request is waiting for at the moment. One slot: a
/// request waits for one thing at a time. Belongs to one shard; firing wakes the wait within the same turn.
class abort_signal {
public:
    using action = void (*)(void* context) noexcept;

    [[nodiscard]] abort_reason reason() const noexcept { return reason_; }
    [[nodiscard]] bool fired() const noexcept { return reason_ != abort_reason::none; }

    /// The first reason stays. Calls the action in the slot, which must only wake the waiting coroutine.
    void fire(abort_reason reason) noexcept {
        if (fired()) {
            return;
        }
        reason_ = reason;
        if (run_ != nullptr) {
            run_(context_);
        }
    }

    void reset() noexcept { *this = {}; }

    /// Puts an action into the slot while it lives; the action before it comes back afterwards.
    class scope {
    public:
        scope(abort_signal& signal, action run, void* context) noexcept
            : signal_(signal),
              run_(std::exchange(signal.run_, run)),
              context_(std::exchange(signal.context_, context)) {}
        ~scope() {
            signal_.run_ = run_;
            signal_.context_ = context_;
        }
        scope(const scope&) = delete;
        scope& operator=(const scope&) = delete;

    private:
        abort_signal& signal_;
        action run_;
        void* context_;
    };

private:
    abort_reason reason_ = abort_reason::none;
    action run_ = nullptr;
    void* context_ = nullptr;
};

}  // namespace concurred::http
