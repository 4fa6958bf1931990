#pragma once

#include "bench/mock_dialect.hpp"

#include <boost/json/value.hpp>

#include <optional>
#include <string_view>

namespace concurred::bench {

/// Google's rules about the conversation: parts with one kind of data, calls with their responses, thought signatures.
/// \param request fits the schema \param model without `models/`
[[nodiscard]] std::optional<mock_failure> check_gemini_talk(const boost::json::value& request, std::string_view model);

}  // namespace concurred::bench
