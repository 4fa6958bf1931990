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
};

using base::spend_hold;

enum class spend_limit : std::uint8_t { none, concurrency, tokens, day, month, unpriced, too_large };

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

/// Replaces what is held by what was used; with nothing used all of it comes back. Empties `hold`.
void settle(spend_hold& hold, std::uint64_t tokens, std::int64_t nano_usd, base::steady_time now) noexcept;

/// The header lines of a key with a token limit: `x-ratelimit-limit-tokens`, `-remaining-tokens`, `-reset-tokens`; and
/// for a denial `Retry-After`, `retry-after-ms`. Empty when there is nothing to say.
[[nodiscard]] base::text_buffer<256> spend_headers(const spend_decision& decision) noexcept;

/// The answer to a denial: 429 that says which limit, how much is left and when; 400 for what can never pass.
[[nodiscard]] base::error spend_error(const spend_decision& decision);

}  // namespace concurred::auth
