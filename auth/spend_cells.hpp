#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>

namespace concurred::auth {

// The numbers behind the limits of a key in tokens, in requests under way and in money. Each is one atomic integer, so
// that all shards take from the same, exactly. Relaxed throughout: see gcra.hpp.

/// Tokens per minute as a bucket that holds one minute's worth. A cell is the time at which it is full again, in
/// nanoseconds of the steady clock; what was used beyond the reservation goes into debt.
struct token_bucket {
    std::uint64_t per_minute = 0;

    static constexpr std::int64_t minute_ns = 60'000'000'000;

    /// Time that `tokens` cost. Saturates at a day.
    [[nodiscard]] constexpr std::int64_t cost_ns(std::uint64_t tokens) const noexcept {
        const double cost =
            static_cast<double>(tokens) * static_cast<double>(minute_ns) / static_cast<double>(per_minute);
        return cost >= 86'400e9 ? 86'400'000'000'000 : static_cast<std::int64_t>(cost + 0.5);
    }
    /// Tokens that would pass now.
    [[nodiscard]] constexpr std::uint64_t left(std::int64_t cell, std::int64_t now_ns) const noexcept {
        const std::int64_t free = minute_ns - std::max<std::int64_t>(cell - now_ns, 0);
        return free <= 0 ? 0
                         : static_cast<std::uint64_t>(
                               static_cast<double>(free) / 60e9 * static_cast<double>(per_minute) + 1e-6);
    }
};

struct token_step {
    bool allowed = false;
    std::int64_t retry_ns = 0;  ///< when denied: until the same passes
    std::int64_t full_ns = 0;   ///< until nothing is used any more
    std::uint64_t left = 0;
};

/// Takes `tokens`, at most `per_minute`, if the bucket has them.
inline token_step take_tokens(std::atomic<std::int64_t>& cell, const token_bucket& bucket, std::int64_t now_ns,
                              std::uint64_t tokens) noexcept {
    const std::int64_t cost = std::min(bucket.cost_ns(tokens), token_bucket::minute_ns);
    std::int64_t stored = cell.load(std::memory_order_relaxed);
    for (;;) {
        const std::int64_t used = std::max<std::int64_t>(stored - now_ns, 0);
        token_step step;
        step.allowed = used + cost <= token_bucket::minute_ns;
        if (!step.allowed) {
            step.retry_ns = used + cost - token_bucket::minute_ns;
            step.full_ns = used;
            step.left = bucket.left(stored, now_ns);
            return step;
        }
        if (cell.compare_exchange_weak(stored, now_ns + used + cost, std::memory_order_relaxed)) {
            step.full_ns = used + cost;
            step.left = bucket.left(now_ns + used + cost, now_ns);
            return step;
        }
    }
}

/// Corrects what was taken to what was used. Too little goes into debt, of at most one minute beyond the empty bucket;
/// too much comes back, but the bucket never holds more than it holds.
inline void settle_tokens(std::atomic<std::int64_t>& cell, const token_bucket& bucket, std::int64_t now_ns,
                          std::uint64_t taken, std::uint64_t used) noexcept {
    const std::int64_t delta =
        used >= taken ? bucket.cost_ns(used - taken) : -std::min(bucket.cost_ns(taken - used), token_bucket::minute_ns);
    if (delta == 0) {
        return;
    }
    std::int64_t stored = cell.load(std::memory_order_relaxed);
    std::int64_t next = 0;
    do {
        next = std::max(stored, now_ns) + delta;
        next =
            delta < 0 ? std::max(next, now_ns) : std::min(next, std::max(stored, now_ns + 2 * token_bucket::minute_ns));
    } while (!cell.compare_exchange_weak(stored, next, std::memory_order_relaxed));
}

/// Money spent in a period (a UTC day or month), with the number of the period in the upper 16 bits, so that both
/// change in one step. In tens of nano-USD: 48 bits of them are 2.8 million USD.
struct money_cell {
    std::atomic<std::uint64_t> value{0};

    static constexpr std::int64_t unit_nano = 10;
    static constexpr std::uint64_t most = (std::uint64_t{1} << 48) - 1;

    [[nodiscard]] static constexpr std::uint64_t units(std::int64_t nano_usd) noexcept {
        return nano_usd <= 0
                   ? 0
                   : std::min<std::uint64_t>(static_cast<std::uint64_t>((nano_usd + unit_nano - 1) / unit_nano), most);
    }
    [[nodiscard]] static constexpr std::uint64_t amount(std::uint64_t cell, std::uint16_t period) noexcept {
        return cell >> 48 == period ? cell & most : 0;
    }
    [[nodiscard]] static constexpr std::uint64_t pack(std::uint16_t period, std::uint64_t units) noexcept {
        return std::uint64_t{period} << 48 | std::min(units, most);
    }

    [[nodiscard]] std::uint64_t spent(std::uint16_t period) const noexcept {
        return amount(value.load(std::memory_order_relaxed), period);
    }

    /// Takes `cost` units if not more than `budget` are spent then.
    /// @param at_least with `capped`: less than this does not pass; else takes what is left
    /// @returns what was taken; 0 with `cost` above 0: denied
    std::uint64_t take(std::uint16_t period, std::uint64_t budget, std::uint64_t cost,
                       std::uint64_t at_least) noexcept {
        std::uint64_t stored = value.load(std::memory_order_relaxed);
        for (;;) {
            const std::uint64_t used = amount(stored, period);
            const std::uint64_t left = budget > used ? budget - used : 0;
            if (left == 0 || left < at_least) {
                return 0;
            }
            const std::uint64_t taken = std::min(cost, left);
            if (value.compare_exchange_weak(stored, pack(period, used + taken), std::memory_order_relaxed)) {
                return taken;
            }
        }
    }

    /// Corrects what was taken to what was used. Nothing happens when the period is over.
    void settle(std::uint16_t period, std::uint64_t taken, std::uint64_t used) noexcept {
        std::uint64_t stored = value.load(std::memory_order_relaxed);
        while (stored >> 48 == period) {
            const std::uint64_t with = (stored & most) + used;
            if (value.compare_exchange_weak(stored, pack(period, with > taken ? with - taken : 0),
                                            std::memory_order_relaxed)) {
                return;
            }
        }
    }

    /// Counts what somebody else has decided.
    void charge(std::uint16_t period, std::uint64_t units) noexcept {
        std::uint64_t stored = value.load(std::memory_order_relaxed);
        while (!value.compare_exchange_weak(stored, pack(period, amount(stored, period) + units),
                                            std::memory_order_relaxed)) {
        }
    }

    /// Raises it to what the books say was spent, if that is more.
    void raise(std::uint16_t period, std::uint64_t units) noexcept {
        std::uint64_t stored = value.load(std::memory_order_relaxed);
        while ((stored >> 48 != period || (stored & most) < units) &&
               !value.compare_exchange_weak(stored, pack(period, units), std::memory_order_relaxed)) {
        }
    }
};

}  // namespace concurred::auth
