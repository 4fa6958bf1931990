#pragma once

#include "auth/json_members.hpp"
#include "storage/api_key_store.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace concurred::auth {

// A key's limits besides requests, as JSON: the same in the API, on the command line and in a key service's metadata.

/// `,"tokenLimit":5000,"concurrency":2,"budget":{"day":5,"month":100}` as far as there are limits. Budgets are numbers
/// of USD, exact.
[[nodiscard]] std::string spend_limit_members(const storage::key_spend_limits& spend);

/// Reads what `spend_limit_members` has written. A value that cannot be a limit counts as none.
[[nodiscard]] storage::key_spend_limits read_spend_limits(const json_members& fields);

/// An amount of USD like 25 or 0.5, above 0, up to a million, with at most 8 decimals: 10 nano-USD is what budgets are
/// counted in.
/// @return nano-USD; nothing for any other text
[[nodiscard]] std::optional<std::int64_t> parse_budget_usd(std::string_view text) noexcept;

}  // namespace concurred::auth
