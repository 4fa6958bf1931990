#include "upstream/load_balance.hpp"

#include <algorithm>
#include <numeric>

namespace concurred::upstream {

namespace {

/// Where on the line from 0 to 1 a turn falls: multiples of the golden ratio, of which any stretch is spread evenly
/// (the additive recurrence of least discrepancy).
double place_of(std::uint32_t turn) noexcept {
    constexpr std::uint32_t golden = 0x9E3779B9;
    return static_cast<double>(turn * golden) / 4294967296.0;
}

std::size_t by_weight(std::span<const balance_candidate> candidates, double place, bool equal) noexcept {
    const auto weight_of = [equal](const balance_candidate& c) noexcept {
        return !c.healthy ? 0.0 : equal ? 1.0 : static_cast<double>(c.weight);
    };
    double total = 0;
    for (const balance_candidate& c : candidates) {
        total += weight_of(c);
    }
    double left = place * total;
    for (std::size_t i = 0; i < candidates.size(); ++i) {
        const double weight = weight_of(candidates[i]);
        if (weight > 0 && left < weight) {
            return i;
        }
        left -= weight;
    }
    return 0;  // all are unhealthy, or without weight
}

std::size_t by_turn(std::span<const balance_candidate> candidates, std::uint32_t turn) noexcept {
    const auto healthy = static_cast<std::uint32_t>(
        std::count_if(candidates.begin(), candidates.end(), [](const auto& c) { return c.healthy; }));
    std::uint32_t skip = healthy == 0 ? 0 : turn % healthy;
    for (std::size_t i = 0; i < candidates.size(); ++i) {
        if (candidates[i].healthy && skip-- == 0) {
            return i;
        }
    }
    return 0;
}

std::size_t by_latency(std::span<const balance_candidate> candidates) noexcept {
    std::size_t best = 0;
    bool found = false;
    for (std::size_t i = 0; i < candidates.size(); ++i) {
        const balance_candidate& c = candidates[i];
        if (!c.healthy) {
            continue;
        }
        if (!c.latency) {
            return i;
        }
        if (!found || *c.latency < *candidates[best].latency) {
            best = i;
            found = true;
        }
    }
    return best;
}

}  // namespace

std::optional<balance_strategy> balance_strategy_of(std::string_view name) noexcept {
    const auto found = std::find(balance_strategy_names.begin(), balance_strategy_names.end(), name);
    if (found == balance_strategy_names.end()) {
        return std::nullopt;
    }
    return static_cast<balance_strategy>(found - balance_strategy_names.begin());
}

void balance(balance_strategy strategy, std::span<const balance_candidate> candidates, std::uint32_t turn, double dice,
             std::span<std::uint8_t> order) noexcept {
    if (candidates.empty()) {
        return;
    }
    std::iota(order.begin(), order.end(), std::uint8_t{0});
    std::size_t chosen = 0;
    switch (strategy) {
        case balance_strategy::weighted:
            chosen = by_weight(candidates, place_of(turn), false);
            break;
        case balance_strategy::round_robin:
            chosen = by_turn(candidates, turn);
            break;
        case balance_strategy::least_latency:
            chosen = by_latency(candidates);
            break;
        case balance_strategy::random:
            chosen = by_weight(candidates, dice, true);
            break;
    }
    // Behind the chosen one those that come after it, in a circle, so that what one leaves is not all the next one's.
    std::rotate(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(chosen), order.end());
    std::stable_partition(order.begin(), order.end(), [&](std::uint8_t i) { return candidates[i].healthy; });
}

}  // namespace concurred::upstream
