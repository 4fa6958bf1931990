#pragma once

#include <string>
#include <string_view>

namespace concurred::upstream {

/// Appends a JSON Schema as Anthropic's structured output takes it: every object closed with
/// `additionalProperties: false`, `oneOf` as `anyOf`, and what it does not know (bounds, patterns, formats of its own)
/// told to the model in the description.
/// @param schema valid JSON
void append_anthropic_schema(std::string& out, std::string_view schema);

}  // namespace concurred::upstream
