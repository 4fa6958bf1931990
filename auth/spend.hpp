#pragma once

#include "auth/spend_cells.hpp"
#include "gateway/base/clock.hpp"
#include "gateway/base/error.hpp"
#include "gateway/base/spend_hold.hpp"
#include "gateway/base/text_buffer.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string_view>

namespace concurred::auth {

/// What a key may use besides requests per minute; 0: no such limit.
struct spend_limits {
    std::uint64_t tokens_per_minute = 0;
    std::uint32_t concurrency = 0;    ///< requests under way at a time
    std::int64_t day_nano_usd = 0;    ///< in a UTC day
    std::int64_t month_nano_usd = 0;  ///< in a UTC month

    [[nodiscard]] bool any() const noexcept {
        return (tokens_per_minute | concurrency) != 0 || day_nano_usd != 0 || month_nano_usd != 0;
    }
    [[nodiscard]] bool has_budget() const noexcept { return day_nano_usd != 0 || month_nano_usd != 0; }
    friend bool operator==(const spend_limits&, const spend_limits&) = default;
};

inline constexpr std::uint64_t max_tokens_per_minute = 1'000'000'000;
inline constexpr std::uint32_t max_concurrency = 100'000;
inline constexpr std::int64_t max_budget_nano_usd = 1'000'000'000'000'000;  // a million USD

/// The limits of one of `replicas` gateways, while they cannot agree: never none, and at least 1 of each.
[[nodiscard]] spend_limits share_of(const spend_limits& limits, std::uint32_t replicas) noexcept;

/// What one gateway has let through, held against its share of the limits.
struct spend_share {
    std::atomic<std::int64_t> tokens{0};
    money_cell day;
    money_cell month;
};

/// The last denials by Redis; see spend_memory.hpp. Times are of the steady clock.
struct spend_denials {
    struct cell {
        std::atomic<std::int64_t> until_ms{0};     ///< believed before
        std::atomic<std::int64_t> retry_at_ms{0};  ///< when it would pass
        std::atomic<std::uint64_t> limit{0};       ///< for which it was said
        std::atomic<std::uint64_t> left{0};
        std::atomic<std::uint64_t> wanted{0};
    };
    cell concurrency;
    cell tokens;
    cell day;
    cell month;
};

/// Limits and counts of one key, shared by all shards. Made for keys that have such limits, and only for them; lives as
/// long as the key's state.
struct spend_state {
    std::atomic<std::uint64_t> tokens_per_minute{0};
    std::atomic<std::uint32_t> concurrency{0};
    std::atomic<std::int64_t> day_nano_usd{0};
    std::atomic<std::int64_t> month_nano_usd{0};

    std::atomic<std::int64_t> tokens{0};  ///< see token_bucket
    std::atomic<std::uint32_t> active{0};
    money_cell day;
    money_cell month;
    spend_share share;
    spend_denials denials;
    std::atomic<bool> known{false};  ///< what was spent before this process began has been read

    void set(const spend_limits& limits) noexcept;
    [[nodiscard]] spend_limits limits() const noexcept;
    /// What the books say was spent so far: for a process that starts, and for what others spend on the same key.
    void known_spent(base::wall_time now, std::int64_t day_nano, std::int64_t month_nano) noexcept;
};

/// What a request is expected to use at most.
struct spend_request {
    std::uint64_t prompt_tokens = 0;
    std::uint64_t output_tokens = 0;
    bool output_is_guess = false;      ///< the client set no bound: the guess gives way where little is left
    std::int64_t prompt_nano_usd = 0;  ///< cost of these prompt tokens
    std::int64_t output_nano_usd = 0;  ///< cost of these output tokens
    bool priced = true;

    /// In units of `money_cell`: what is held, and the least that will do.
    [[nodiscard]] std::uint64_t most_units() const noexcept;
    [[nodiscard]] std::uint64_t least_units() const noexcept;
};

using base::spend_hold;

/// The UTC day and month of a moment, numbered, and when they end.
struct spend_periods {
    std::uint16_t day = 0;
    std::uint16_t month = 0;
    std::chrono::milliseconds day_ends{0};    ///< from that moment on
    std::chrono::milliseconds month_ends{0};  ///< from that moment on
};
[[nodiscard]] spend_periods periods_of(base::wall_time now) noexcept;

enum class spend_limit : std::uint8_t { none, concurrency, tokens, day, month, unpriced, too_large };

/// When to ask again for a place: nobody knows when one is free.
inline constexpr std::chrono::seconds until_a_place{1};

struct spend_decision {
    spend_limit denied_by = spend_limit::none;
    std::uint64_t limit = 0;  ///< tokens, requests, or nano-USD
    std::uint64_t left = 0;
    std::chrono::milliseconds retry_after{0};
    // For the headers of a key with a token limit.
    std::uint64_t tokens_limit = 0;
    std::uint64_t tokens_left = 0;
    std::chrono::milliseconds tokens_full_in{0};

    [[nodiscard]] bool allowed() const noexcept { return denied_by == spend_limit::none; }
};

/// Takes what `request` may use from all limits of the key, or nothing from any. Lock-free, allocates nothing; parallel
/// requests cannot take more than there is together.
/// @param hold filled when allowed: `settle` it when the request ends, however it ends
[[nodiscard]] spend_decision reserve(spend_state& state, const spend_request& request, base::wall_time wall,
                                     base::steady_time now, spend_hold& hold) noexcept;

/// The same by this gateway's share of the limits, for the time in which gateways that share them cannot agree.
[[nodiscard]] spend_decision reserve_share(spend_state& state, const spend_request& request, std::uint32_t replicas,
                                           base::wall_time wall, base::steady_time now, spend_hold& hold) noexcept;

/// Counts a request that was admitted elsewhere: `hold` says what it may use.
void count_admitted(const spend_hold& hold, base::steady_time now) noexcept;

/// Whether no waiting helps: `too_large`, `unpriced`, or `none`.
[[nodiscard]] spend_limit never_passes(const spend_limits& limits, const spend_request& request) noexcept;

/// Tokens that are held for a request: the bound on the answer gives way to the bucket, or a small limit would let
/// nothing through at all.
[[nodiscard]] std::uint64_t tokens_to_hold(std::uint64_t per_minute, const spend_request& request) noexcept;

/// Replaces what is held by what was used; with nothing used all of it comes back. Empties `hold`.
void settle(spend_hold& hold, std::uint64_t tokens, std::int64_t nano_usd, base::steady_time now) noexcept;

/// The header lines of a key with a token limit: `x-ratelimit-limit-tokens`, `-remaining-tokens`, `-reset-tokens`; and
/// for a denial `Retry-After`, `retry-after-ms`. Empty when there is nothing to say.
[[nodiscard]] base::text_buffer<256> spend_headers(const spend_decision& decision) noexcept;

/// The answer to a denial: 429 that says which limit, how much is left and when; 400 for what can never pass.
[[nodiscard]] base::error spend_error(const spend_decision& decision);

}  // namespace concurred::auth
