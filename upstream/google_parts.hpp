#pragma once

#include "gateway/base/error.hpp"
#include "upstream/json_parts.hpp"
#include "upstream/json_writer.hpp"

#include <string>

namespace concurred::upstream {

/// Appends a content part of a user's message as one of Gemini's. A text without characters is left out.
/// @param path where it is, for errors: "messages[2].content[0]"
/// Errors: bad_request for a part that Gemini cannot take, a picture given by an address above all.
[[nodiscard]] base::result<void> append_gemini_part(json_writer& w, const json_part& part, const std::string& path);

/// Appends `{"text":…}` for a JSON string, unless it has no characters.
void append_gemini_text(json_writer& w, const json_part& text);

}  // namespace concurred::upstream
