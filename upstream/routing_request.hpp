#pragma once

#include "gateway/base/error.hpp"
#include "upstream/chat_request.hpp"
#include "upstream/load_balance.hpp"

#include <string>
#include <vector>

namespace concurred::upstream {

/// A model that a request names for balancing.
struct balanced_model {
    std::string model;
    std::uint32_t weight = 1;
};

/// What a request says about which models to try, decoded.
struct routing_request {
    balance_strategy strategy = balance_strategy::weighted;
    std::vector<balanced_model> balanced;  ///< empty: the request's `model` alone
    std::vector<std::string> fallback;
};

inline constexpr std::uint32_t max_balance_weight = 1'000'000;

/// Whether the request says anything of it; if not there is nothing to parse, and nothing to pay.
[[nodiscard]] inline bool names_more_models(const chat_request& request) noexcept {
    return !request.fallback.empty() || !request.load_balance.empty();
}

/// Reads `fallback` and `load_balance`. `load_balance` is `{"strategy": "weighted" | "round_robin" | "least_latency" |
/// "random", "models": [{"model": "gpt", "weight": 70}, ...]}`: the strategy is weighted if not given, `models` holds 1
/// to `max_balanced` different models, a weight is an integer from 0 to `max_balance_weight`, 1 if not given, and not
/// all are 0.
/// Errors: errc::bad_request whose `param` names the place, e.g. `load_balance.models[1].weight`.
[[nodiscard]] base::result<routing_request> parse_routing_request(const chat_request& request);

}  // namespace concurred::upstream
