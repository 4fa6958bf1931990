#pragma once

#include "bench/mock_dialect.hpp"

#include <optional>
#include <string_view>

namespace concurred::bench {

/// What is wrong with a body by the published schema of OpenAI's Chat Completions, and by its rules about tool calls
/// and their results.
[[nodiscard]] std::optional<mock_failure> check_openai_chat(std::string_view body);
/// The same of xAI.
[[nodiscard]] std::optional<mock_failure> check_xai_chat(std::string_view body);
/// The same of OpenRouter, which takes more, and ignores what it does not know.
[[nodiscard]] std::optional<mock_failure> check_openrouter_chat(std::string_view body);
/// The same of MiniMax.
[[nodiscard]] std::optional<mock_failure> check_minimax_chat(std::string_view body);

/// The same of OpenAI's Responses and Embeddings.
[[nodiscard]] std::optional<mock_failure> check_openai_responses(std::string_view body);
[[nodiscard]] std::optional<mock_failure> check_openai_embeddings(std::string_view body);

}  // namespace concurred::bench
