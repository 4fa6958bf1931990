#pragma once

#include "bench/mock_dialect.hpp"

#include <optional>
#include <string_view>

namespace concurred::bench {

/// What is wrong with a request by Google's published schema and rules: fields, keywords of schemas, calls with their
/// responses, thought signatures. \param model without `models/`
[[nodiscard]] std::optional<mock_failure> check_gemini(const mock_request& request, std::string_view model);

}  // namespace concurred::bench
