#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>

namespace concurred::auth {

using std::chrono::microseconds;

/// What a bucket allows: `limit` units per `window`, at most `burst` of them at once. Build it whole: the interval is
/// computed from the other three.
struct gcra_limit {
    std::uint32_t limit = 0;
    microseconds window{0};
    std::uint32_t burst = 0;
    microseconds emission{1};  ///< time that one unit costs

    /// Admits nothing.
    constexpr gcra_limit() = default;
    /// @param units per window; 0 admits nothing. @param per 1 us ... 366 days, cut to that.
    /// @param at_once largest cost that can pass at all; lowered where `at_once * emission` would leave 2^60 us.
    constexpr gcra_limit(std::uint32_t units, microseconds per, std::uint32_t at_once) noexcept
        : limit(units), window(std::clamp(per, microseconds{1}, microseconds{std::chrono::days{366}})) {
        if (units == 0) {
            return;
        }
        // Rounded up, so that the rate is never exceeded. Where the interval is no whole number, the rate is lower by
        // at most 1 us per unit: under 0.1 % around 60,000 per minute, under 1.7 % around 1,000,000.
        emission = microseconds{(window.count() + units - 1) / units};
        burst = static_cast<std::uint32_t>(std::min<std::int64_t>(at_once, max_capacity_us / emission.count()));
    }
    /// Burst = limit: DECISIONS.md 6.
    constexpr gcra_limit(std::uint32_t units, microseconds per) noexcept : gcra_limit(units, per, units) {}

    /// How far ahead of now a bucket that gave all it has stands.
    [[nodiscard]] constexpr std::int64_t capacity_us() const noexcept { return burst * emission.count(); }

    friend constexpr bool operator==(const gcra_limit&, const gcra_limit&) = default;

private:
    static constexpr std::int64_t max_capacity_us = std::int64_t{1} << 60;
};

/// The answer of a bucket, with all that a client is told about it.
struct limit_decision {
    /// `retry_after` of a cost above the burst: waiting does not help.
    static constexpr microseconds never = microseconds::max();

    bool allowed = false;
    std::uint32_t limit = 0;
    std::uint32_t remaining = 0;  ///< units that would pass now, after this decision
    microseconds retry_after{0};  ///< when denied: time until the same cost passes, or `never`
    microseconds until_full{0};   ///< time until the whole burst is back
};

/// A decision and what the cell holds after it.
struct gcra_step {
    limit_decision decision;
    std::int64_t tat;  ///< equal to the stored value when nothing is to be written
};

/// How far two readers of the clock may be apart: shards cache the time of their loop, and a thread can be put aside by
/// the system between looking at the clock and using it. A cell that is further ahead than a full burst and this was
/// written under another clock or another limit.
inline constexpr std::int64_t clock_slack_us = 60'000'000;

/// The generic cell rate algorithm, in integers. A cell is one number, the theoretical arrival time (TAT): 0 or any
/// time in the past is a full bucket. Exact: it is the continuous token bucket of `burst` units that refills one unit
/// per `emission`.
/// @param stored the cell. @param now_us base::micros() of now, >= 0. @param cost 0 asks without taking.
/// @return denied steps store nothing, except that a damaged cell (the clock went back by more than the slack) is set
/// to an empty bucket: nobody is locked out for longer than a burst takes to refill and the slack, and nobody gets
/// units for free. Source: identity.md 4.1.
[[nodiscard]] constexpr gcra_step gcra_advance(std::int64_t stored, const gcra_limit& l, std::int64_t now_us,
                                               std::uint32_t cost) noexcept {
    const std::int64_t capacity = l.capacity_us();
    // Without the slack, a thread with an old time would pull back what the others have taken since: free units.
    const std::int64_t kept = stored - now_us > capacity + clock_slack_us ? now_us + capacity : stored;
    const std::int64_t used = std::max(kept - now_us, std::int64_t{0});

    gcra_step step{.decision = {.limit = l.limit, .until_full = microseconds{used}}, .tat = kept};
    std::int64_t ahead = used;
    if (cost > l.burst) {
        step.decision.retry_after = limit_decision::never;
    } else if (used + cost * l.emission.count() <= capacity) {
        ahead += cost * l.emission.count();
        step.decision.allowed = true;
        step.decision.until_full = microseconds{ahead};
        if (cost != 0) {
            step.tat = now_us + ahead;
        }
    } else {
        step.decision.retry_after = microseconds{used + cost * l.emission.count() - capacity};
    }
    step.decision.remaining =
        static_cast<std::uint32_t>(std::max(capacity - ahead, std::int64_t{0}) / l.emission.count());
    return step;
}

// Every operation on a cell is relaxed: the cell is the whole state, no other memory is published through it, and the
// compare-exchange alone puts all decisions on one cell into one order. That makes the count exact over any number of
// threads; a stronger order would cost a fence and buy nothing.

/// Takes `cost` units if the cell has them. Lock-free; exact over all threads that use the cell.
/// @param now_us may differ between callers by at most `clock_slack_us`: older times only make the decision stricter.
inline limit_decision try_acquire(std::atomic<std::int64_t>& tat, const gcra_limit& l, std::int64_t now_us,
                                  std::uint32_t cost = 1) noexcept {
    std::int64_t stored = tat.load(std::memory_order_relaxed);
    for (;;) {
        const gcra_step step = gcra_advance(stored, l, now_us, cost);
        if (step.tat == stored ||
            tat.compare_exchange_weak(stored, step.tat, std::memory_order_relaxed, std::memory_order_relaxed)) {
            return step.decision;
        }
    }
}

/// What `try_acquire` would answer now; takes nothing, writes nothing.
[[nodiscard]] inline limit_decision would_acquire(const std::atomic<std::int64_t>& tat, const gcra_limit& l,
                                                  std::int64_t now_us, std::uint32_t cost = 1) noexcept {
    return gcra_advance(tat.load(std::memory_order_relaxed), l, now_us, cost).decision;
}

/// Gives `cost` units back that were taken under the same limit. A bucket never gets fuller than full: what time has
/// refilled meanwhile is not given twice. Lock-free.
inline void refund(std::atomic<std::int64_t>& tat, const gcra_limit& l, std::int64_t now_us,
                   std::uint32_t cost = 1) noexcept {
    std::int64_t stored = tat.load(std::memory_order_relaxed);
    while (stored > now_us) {
        const std::int64_t given_back = std::min(cost, l.burst) * l.emission.count();
        const std::int64_t lowered = std::max(stored - given_back, now_us);
        if (tat.compare_exchange_weak(stored, lowered, std::memory_order_relaxed, std::memory_order_relaxed)) {
            return;
        }
    }
}

}  // namespace concurred::auth
