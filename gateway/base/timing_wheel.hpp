#pragma once

#include "gateway/base/clock.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace concurred::base {

/// Deadlines of thousands of connections at the price of a variable each: moving a deadline later is one store, and
/// only deadlines that come due (or are looked at once per lap) cost work. Pure: `advance` takes `now`.
/// Resolution is one tick; a deadline fires within one tick after it is reached, never before.
/// Belongs to one shard.
class timing_wheel {
public:
    static constexpr std::chrono::milliseconds tick{100};

    /// A deadline and what happens then. Embed it in the object it guards; destruction takes it out of the wheel.
    class timer {
    public:
        using action = void (*)(void* context);

        /// `run(context)` is called from `advance`; it may set or clear any timer and may destroy this one.
        timer(timing_wheel& wheel, action run, void* context) noexcept : wheel_(&wheel), run_(run), context_(context) {}
        ~timer();
        timer(const timer&) = delete;
        timer& operator=(const timer&) = delete;

        /// Sets or moves the deadline.
        void expires_at(steady_time deadline) noexcept;
        void clear() noexcept { deadline_ = steady_time::max(); }
        [[nodiscard]] bool armed() const noexcept { return deadline_ != steady_time::max(); }
        [[nodiscard]] steady_time deadline() const noexcept { return deadline_; }

    private:
        friend class timing_wheel;

        timing_wheel* wheel_;
        action run_;
        void* context_;
        steady_time deadline_ = steady_time::max();
        std::int64_t slot_tick_ = -1;  // tick at which the wheel looks at this timer; -1: not linked
        timer* next_ = nullptr;
        timer** link_ = nullptr;  // the pointer that points at this timer
    };

    explicit timing_wheel(steady_time start) noexcept : start_(start) {}
    timing_wheel(const timing_wheel&) = delete;
    timing_wheel& operator=(const timing_wheel&) = delete;

    /// Runs the actions of all deadlines reached at `now`.
    void advance(steady_time now);

    /// Linked timers. While 0, `advance` need not be called.
    [[nodiscard]] std::size_t size() const noexcept { return size_; }

private:
    static constexpr std::size_t slots = 64;

    [[nodiscard]] std::int64_t tick_of(steady_time t) const noexcept;
    void link(timer& t, std::int64_t due_tick) noexcept;
    void unlink(timer& t) noexcept;

    steady_time start_;
    std::int64_t now_tick_ = 0;
    std::size_t size_ = 0;
    std::array<timer*, slots> wheel_{};
};

}  // namespace concurred::base
