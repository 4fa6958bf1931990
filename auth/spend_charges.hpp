#pragma once

#include "auth/redis_limits.hpp"
#include "auth/spend.hpp"

#include <boost/container/static_vector.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace concurred::auth {

// A key's limits in tokens, requests under way and money, as Redis counts them, and its answers as decisions. Pure.

/// Names of the amounts of a day and of a month: another one for each.
[[nodiscard]] std::string day_amount(std::uint16_t day);
[[nodiscard]] std::string month_amount(std::uint16_t month);

inline constexpr std::string_view token_bucket_name = "tpm";
inline constexpr std::int64_t token_window_us = 60'000'000;
/// How far ahead the bucket of tokens can be: empty, and a minute of debt.
inline constexpr std::int64_t most_tokens_us = 2 * token_window_us;
/// Until Redis may forget an amount of money: well after its period.
inline constexpr std::chrono::milliseconds day_keep = std::chrono::days{2};
inline constexpr std::chrono::milliseconds month_keep = std::chrono::days{33};

/// Time that tokens take to refill, rounded up. At most `most_tokens_us`.
[[nodiscard]] std::int64_t token_cost_us(std::uint64_t per_minute, std::uint64_t tokens) noexcept;

/// Until Redis may forget who is under way: with money not before that is forgotten, or it could not come back.
[[nodiscard]] std::chrono::milliseconds places_keep(bool money, std::chrono::milliseconds lease) noexcept;

/// What is asked of Redis for one request. Not to be moved: its parts refer to each other.
class spend_charges {
public:
    /// @param member unique to the request; outlives this. @param held by the request already
    spend_charges(const spend_state& state, const spend_request& wanted, std::string_view member,
                  const base::spend_hold& held, base::wall_time wall, base::steady_time now,
                  std::chrono::milliseconds lease);
    spend_charges(const spend_charges&) = delete;
    spend_charges& operator=(const spend_charges&) = delete;

    boost::container::static_vector<bucket_charge, 1> buckets;
    place_charge place;
    boost::container::static_vector<money_charge, 2> money;

    /// The decision that the answer is; the limit of requests is not looked at.
    [[nodiscard]] spend_decision decision(const charges_answer& answer) const noexcept;
    /// What the request holds after an answer that allowed it.
    [[nodiscard]] base::spend_hold hold(spend_state& state, const charges_answer& answer,
                                        std::uint32_t replicas) const noexcept;

private:
    spend_limits limits_;
    spend_periods periods_;
    std::uint64_t tokens_ = 0;
    std::string day_;
    std::string month_;
};

}  // namespace concurred::auth
