#pragma once

#include "upstream/chat_request.hpp"

#include <string_view>

namespace concurred::upstream {

inline constexpr unsigned max_tools = 128;

/// Checks what a request says about tools, whatever the provider (public API 3.3): at most 128 of them, names of 1 to
/// 64 letters, digits, "_" and "-", each once, parameters that are a JSON Schema with an object at the root; a choice
/// that names one of them; results that belong to a call. Costs a request without tools one search for a word. Errors:
/// bad_request with the codes tool_schema_invalid, tool_choice_invalid, tool_call_id_mismatch.
[[nodiscard]] base::result<void> check_tools(const chat_request& request);

/// Errors: tool_unsupported_for_model, when the request has tools and the model is known to have none.
[[nodiscard]] base::result<void> check_tools_for(const chat_request& request, std::string_view model);

/// Whether a tool asks for arguments that match its schema exactly (`strict`).
[[nodiscard]] bool has_strict_tools(std::string_view tools);

}  // namespace concurred::upstream
