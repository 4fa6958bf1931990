#pragma once

#include "gateway/base/error.hpp"
#include "upstream/google_model.hpp"
#include "upstream/json_parts.hpp"
#include "upstream/json_writer.hpp"

namespace concurred::upstream {

/// What a request says about tools.
struct gemini_tool_fields {
    json_part tools;
    json_part choice;  ///< `tool_choice`
    bool web_search = false;
};

/// Whether there are functions to be called.
[[nodiscard]] bool has_functions(const gemini_tool_fields& fields);

/// Appends `tools` and `toolConfig` to the body, as far as there is something to say.
/// Errors: bad_request for tools that are no functions, and for choices of no known form.
[[nodiscard]] base::result<void> append_gemini_tools(json_writer& w, const gemini_tool_fields& fields,
                                                     const gemini_model& model);

}  // namespace concurred::upstream
