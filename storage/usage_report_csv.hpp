#pragma once

#include "storage/usage_store.hpp"

#include <string>

namespace concurred::storage {

/// The report as CSV (RFC 4180): its series, or its models if it has none, one line each under a line of names:
/// `date`, `model`, `key` or `provider` as the query has them, then requests, tokens, cost_usd, unpriced_requests,
/// estimated_requests. Costs are exact.
[[nodiscard]] std::string render_usage_csv(const usage_report& report);

}  // namespace concurred::storage
