#pragma once

#include "gateway/base/usage_record.hpp"

#include <cstdint>
#include <optional>

namespace concurred::upstream {

/// Prices are kept in pico-USD per token: a price of 1 USD per million tokens is this many. One pico-USD per token is
/// one micro-USD per million tokens; it is the coarsest unit in which all known prices are whole numbers.
inline constexpr std::uint64_t pico_usd_per_usd_per_million = 1'000'000;

/// What a token costs, in pico-USD.
struct model_price {
    std::uint64_t input = 0;
    std::uint64_t output = 0;                   ///< reasoning tokens too
    std::optional<std::uint64_t> cached_input;  ///< read from the provider's cache; not set: as `input`
    std::optional<std::uint64_t> cache_write;   ///< written to the provider's cache; not set: as `input`

    friend bool operator==(const model_price&, const model_price&) = default;
};

/// Largest price per token that `cost_nano_usd` works with; higher ones count as this one. 10^18 pico-USD are a million
/// USD.
inline constexpr std::uint64_t largest_price = 1'000'000'000'000'000'000;

/// What the tokens of one request cost, in nano-USD, rounded half up once over the sum. Saturates at the largest int64
/// instead of overflowing, whatever counts a provider reports.
/// @param long_cache_writes those of `tokens.cache_write` that are kept for an hour, which Anthropic takes twice the
///                          price of fresh input for
[[nodiscard]] std::int64_t cost_nano_usd(const base::token_counts& tokens, const model_price& price,
                                         std::uint64_t long_cache_writes = 0) noexcept;

/// A price in USD per million tokens, as people write it, rounded to the unit of `model_price`. `usd_per_million` is
/// not negative; what is above `largest_price` becomes that.
[[nodiscard]] std::uint64_t price_from_usd_per_million(double usd_per_million) noexcept;

}  // namespace concurred::upstream
