#include "upstream/cost.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace concurred::upstream {

namespace {

__extension__ typedef unsigned __int128 wide;  // six products of 2^64 by `largest_price` (below 2^60) fit

wide product(std::uint64_t tokens, std::uint64_t price) noexcept {
    return static_cast<wide>(tokens) * std::min(price, largest_price);
}

}  // namespace

std::int64_t cost_nano_usd(const base::token_counts& tokens, const model_price& price,
                           std::uint64_t long_cache_writes) noexcept {
    const std::uint64_t kept_long = std::min(long_cache_writes, tokens.cache_write);
    const wide pico = product(tokens.prompt, price.input) +
                      product(tokens.cache_read, price.cached_input.value_or(price.input)) +
                      product(tokens.cache_write - kept_long, price.cache_write.value_or(price.input)) +
                      product(kept_long, price.input) * 2 + product(tokens.completion, price.output) +
                      product(tokens.reasoning, price.output);
    const wide nano = (pico + 500) / 1'000;
    constexpr wide largest = std::numeric_limits<std::int64_t>::max();
    return static_cast<std::int64_t>(std::min(nano, largest));
}

std::uint64_t price_from_usd_per_million(double usd_per_million) noexcept {
    const double pico = usd_per_million * static_cast<double>(pico_usd_per_usd_per_million);
    // Written so that NaN gives 0.
    return !(pico > 0)                                  ? 0
           : pico >= static_cast<double>(largest_price) ? largest_price
                                                        : static_cast<std::uint64_t>(std::llround(pico));
}

}  // namespace concurred::upstream
