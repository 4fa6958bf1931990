#pragma once

#include "bench/mock_schema.hpp"

namespace concurred::bench {

/// Chat Completions: type `Request`. Source: OpenAI's published OpenAPI description, by the reference of providers,
/// section 1.2.
[[nodiscard]] const mock_schema& openai_chat_schema();
/// The same of xAI (section 5), OpenRouter (6) and MiniMax (7).
[[nodiscard]] const mock_schema& xai_chat_schema();
[[nodiscard]] const mock_schema& openrouter_chat_schema();
[[nodiscard]] const mock_schema& minimax_chat_schema();
/// Responses and Embeddings: type `Request`.
[[nodiscard]] const mock_schema& openai_responses_schema();
[[nodiscard]] const mock_schema& openai_embeddings_schema();

}  // namespace concurred::bench
