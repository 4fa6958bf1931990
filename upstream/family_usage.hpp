#pragma once

#include "upstream/family_policy.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace concurred::upstream {

/// Appends a provider's `usage` with what OpenAI's clients rely on: completion tokens that hold the reasoning ones.
void append_family_usage(std::string& out, std::string_view usage, const family_policy& policy);

/// What the provider says the call cost, in nano-USD: `cost_in_usd_ticks` of xAI (10^10 a USD), `cost` of OpenRouter
/// (USD; with a key of the caller's at the routed provider, `cost_details.upstream_inference_cost` is the real one).
[[nodiscard]] std::optional<std::int64_t> cost_in_usage(std::string_view usage, const family_policy& policy);

}  // namespace concurred::upstream
