#pragma once

#include "gateway/base/error.hpp"
#include "upstream/google_model.hpp"

#include <string>
#include <string_view>

namespace concurred::upstream {

/// The messages of a conversation in Gemini's words.
struct gemini_contents {
    std::string system;    ///< parts of `systemInstruction`, without the brackets; empty: none
    std::string contents;  ///< elements of `contents`, without the brackets
};

/// Translates `messages`: instructions at the front become the system instruction, later ones a part of the user's
/// turn; neighbours of one role are one content; the results of a turn's calls are one content in the order of the
/// calls, each with the name its call had; thought signatures go back to where they came from.
/// @param messages a valid, non-empty array
/// Errors: bad_request with the place of what Gemini cannot take; `tool_call_id_mismatch` for a result without a call.
[[nodiscard]] base::result<gemini_contents> to_gemini_contents(std::string_view messages, const gemini_model& model);

/// What is sent in place of a signature that got lost, so that Gemini does not refuse the call.
inline constexpr std::string_view no_thought_signature = "skip_thought_signature_validator";
/// `format` of the items of `reasoning_details` that carry signatures of Gemini's.
inline constexpr std::string_view gemini_reasoning_format = "google-gemini-v1";

}  // namespace concurred::upstream
