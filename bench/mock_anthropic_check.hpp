#pragma once

#include "bench/mock_dialect.hpp"

#include <optional>

namespace concurred::bench {

/// What is wrong with a request by Anthropic's published schema and rules: version, fields, order of roles, tool calls
/// with their results, signatures of thinking, what the named model takes.
[[nodiscard]] std::optional<mock_failure> check_anthropic(const mock_request& request);

}  // namespace concurred::bench
