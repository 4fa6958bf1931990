#pragma once

#include "bench/mock_dialect.hpp"

#include <boost/json/value.hpp>

#include <optional>

namespace concurred::bench {

/// Anthropic's rules about the conversation: order of roles, blocks that are not empty, tool calls with their results,
/// signatures. \param request fits the schema
[[nodiscard]] std::optional<mock_failure> check_anthropic_talk(const boost::json::value& request);

}  // namespace concurred::bench
