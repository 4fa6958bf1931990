#pragma once

#include "storage/usage_store.hpp"

#include <cstdint>
#include <string>

namespace concurred::storage {

/// Body of `GET /api/v1/usage`: `{"success":true,"data":{"totalRequests","totalTokens","totalCost","byModel":{…}}}`.
/// Cost is a JSON number in USD. A model with requests of unknown cost has `"unpriced":true`. `series` is there only if
/// the query had an interval or a group:
/// `[{"date":"2026-03-01","model"|"key"|"provider":"…","requests","tokens","cost"}]`.
[[nodiscard]] std::string render_usage_report(const usage_report& report);

/// Appends `nano_usd` as a decimal number of USD, exactly, without an exponent: 470000000 gives 0.47.
void append_usd(std::string& out, std::int64_t nano_usd);

/// The UTC day as YYYY-MM-DD.
/// @param day days since 1970-01-01
[[nodiscard]] std::string day_text(std::int32_t day);

}  // namespace concurred::storage
