#pragma once

#include "auth/gcra.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <limits>

namespace concurred::auth {

// Limits that several gateways share are counted in Redis. What one gateway keeps about such a limit, and how it
// decides by itself when it need not or cannot ask, is here. All of it is pure or atomic; times are microseconds of our
// own monotonic clock.

/// What one gateway knows of one shared limit. Used by all its shards.
struct shared_cell {
    /// TAT of what this gateway has admitted, at the full rate. A bucket that gave that and more cannot be fuller, so
    /// it is a floor under the shared TAT: it restores a part of what Redis forgot.
    std::atomic<std::int64_t> own{0};
    /// TAT at this gateway's share of the rate: decides while Redis is away, and is charged with all it admits, so that
    /// losing Redis gives nobody a second helping.
    std::atomic<std::int64_t> share{0};
    std::atomic<std::int64_t> seen{0};           ///< the shared TAT as last heard, in our time
    std::atomic<std::int64_t> denied_until{0};   ///< nothing passes before, without asking
    std::atomic<std::uint32_t> denied_limit{0};  ///< the limit for which that was said
    std::atomic<std::uint32_t> held{0};          ///< units of a slice that are not used
    std::atomic<std::int64_t> taken_at{0};       ///< when the oldest of them were taken
    std::atomic<std::int64_t> used_at{0};        ///< when the slice was last used
    std::atomic<bool> taking{false};             ///< somebody is getting a slice
    std::atomic<bool> booked{false};             ///< somebody will give back what is left
};

/// All shared limits of a key: its own, and those of the paths. About 2.5 KB for a key that was used while limits were
/// shared; keys of a gateway that counts alone have none.
struct shared_cells {
    shared_cell key;
    std::array<shared_cell, 32> path;
};

/// A denial is believed for at most so long: whatever went wrong over there heals.
inline constexpr std::int64_t longest_denial_us = 10'000'000;

/// This gateway's share of a limit: at least 1, so that nobody is locked out. The shares of all gateways together are
/// at most max(limit, replicas).
[[nodiscard]] constexpr gcra_limit share_of(const gcra_limit& l, std::uint32_t replicas) noexcept {
    return gcra_limit(std::max(l.limit / std::max(replicas, 1U), 1U), l.window);
}

/// Units in a slice: those that all gateways can hold unused are at most a tenth of the limit. 0 where that would be
/// less than two: such limits are asked for one by one.
[[nodiscard]] constexpr std::uint32_t slice_of(const gcra_limit& l, std::uint32_t replicas) noexcept {
    const std::uint64_t slice = l.limit / (std::uint64_t{10} * std::max(replicas, 1U));
    return slice < 2 ? 0 : static_cast<std::uint32_t>(slice);
}

/// How much the shared bucket holds where gateways take slices: less by what they may hold, because a bucket refills
/// behind a slice that is not used yet, and both together must not be more than the limit.
[[nodiscard]] constexpr std::int64_t capacity_beside_slices(const gcra_limit& l, std::uint32_t slice,
                                                            std::uint32_t replicas) noexcept {
    return (std::int64_t{l.burst} - std::int64_t{slice} * std::max(replicas, 1U)) * l.emission.count();
}

/// Charges a bucket whatever it holds; it is never emptier than empty.
inline void charge(std::atomic<std::int64_t>& tat, const gcra_limit& l, std::int64_t now_us,
                   std::uint32_t cost = 1) noexcept {
    std::int64_t stored = tat.load(std::memory_order_relaxed);
    for (;;) {
        const std::int64_t ahead = std::max(stored - now_us, std::int64_t{0}) + cost * l.emission.count();
        const std::int64_t next = now_us + std::min(ahead, l.capacity_us());
        if (tat.compare_exchange_weak(stored, next, std::memory_order_relaxed)) {
            return;
        }
    }
}

/// How far ahead of now a TAT is.
[[nodiscard]] inline std::int64_t ahead_of(const std::atomic<std::int64_t>& tat, std::int64_t now_us) noexcept {
    return std::max(tat.load(std::memory_order_relaxed) - now_us, std::int64_t{0});
}

/// Takes one unit of the slice in hand.
[[nodiscard]] inline bool take_held(shared_cell& cell, std::int64_t now_us) noexcept {
    std::uint32_t held = cell.held.load(std::memory_order_relaxed);
    while (held != 0) {
        if (cell.held.compare_exchange_weak(held, held - 1, std::memory_order_relaxed)) {
            cell.used_at.store(now_us, std::memory_order_relaxed);
            return true;
        }
    }
    return false;
}

/// Puts a slice in hand.
inline void add_held(shared_cell& cell, std::uint32_t units, std::int64_t now_us) noexcept {
    if (cell.held.load(std::memory_order_relaxed) == 0) {
        cell.taken_at.store(now_us, std::memory_order_relaxed);
    }
    cell.used_at.store(now_us, std::memory_order_relaxed);
    cell.held.fetch_add(units, std::memory_order_relaxed);
}

/// Takes the whole rest of a slice to give it back. @return by how much the shared TAT may be lowered: not for the part
/// that has refilled since, which is everybody's already.
[[nodiscard]] inline std::int64_t take_rest(shared_cell& cell, const gcra_limit& l, std::int64_t now_us) noexcept {
    const std::int64_t units = cell.held.exchange(0, std::memory_order_relaxed);
    const std::int64_t refilled = now_us - cell.taken_at.load(std::memory_order_relaxed);
    return units == 0 ? 0 : std::max(units * l.emission.count() - std::max(refilled, std::int64_t{0}), std::int64_t{0});
}

/// Remembers a denial. @param retry_us from now
inline void remember_denial(shared_cell& cell, const gcra_limit& l, std::int64_t now_us,
                            std::int64_t retry_us) noexcept {
    cell.denied_limit.store(l.limit, std::memory_order_relaxed);
    cell.denied_until.store(now_us + std::min(retry_us, longest_denial_us), std::memory_order_relaxed);
}

/// What is left of a remembered denial; 0 when there is none, or when it was about another limit.
[[nodiscard]] inline std::int64_t denied_for(const shared_cell& cell, const gcra_limit& l,
                                             std::int64_t now_us) noexcept {
    const std::int64_t until = cell.denied_until.load(std::memory_order_relaxed);
    return until > now_us && cell.denied_limit.load(std::memory_order_relaxed) == l.limit ? until - now_us : 0;
}

/// The answer for a bucket of `capacity_us` that stands `ahead_us` ahead of now.
[[nodiscard]] constexpr limit_decision decision_at(const gcra_limit& l, std::int64_t capacity_us, std::int64_t ahead_us,
                                                   std::int64_t retry_us, std::uint32_t held = 0) noexcept {
    limit_decision d;
    d.allowed = retry_us <= 0;
    d.limit = l.limit;
    d.remaining = held + static_cast<std::uint32_t>(std::clamp<std::int64_t>(
                             (capacity_us - ahead_us) / l.emission.count(), 0, std::numeric_limits<int>::max()));
    d.retry_after = microseconds{std::max<std::int64_t>(retry_us, 0)};
    d.until_full = microseconds{std::max<std::int64_t>(ahead_us, 0)};
    return d;
}

}  // namespace concurred::auth
