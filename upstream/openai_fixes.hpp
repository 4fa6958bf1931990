#pragma once

#include "upstream/body_splice.hpp"
#include "upstream/chat_request.hpp"

#include <string_view>

namespace concurred::upstream {

/// What the newer models of OpenAI's want said otherwise than older clients say it:
/// - the o series and GPT-5 and later refuse `max_tokens`; `max_completion_tokens` means the same there;
/// - GPT-5.4 and later refuse function tools together with reasoning on this endpoint, and reason unless they are told
///   not to: with tools, and without a word of the client's on its effort, they are told.
/// Anybody else's models are left alone.
/// @param provider name in the provider table
[[nodiscard]] body_fixes openai_fixes(std::string_view provider, std::string_view model, const chat_request& request);

}  // namespace concurred::upstream
