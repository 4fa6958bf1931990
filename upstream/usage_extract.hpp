#pragma once

#include "gateway/base/usage_record.hpp"
#include "gateway/http/json_scan.hpp"

#include <cstddef>
#include <optional>
#include <string_view>

namespace concurred::upstream {

/// Reads a `usage` object in OpenAI's form, of chat completions, embeddings or responses (`input_tokens` and
/// `output_tokens`), into disjoint classes:
/// - cache reads and writes are taken out of `prompt_tokens`, and never exceed it;
/// - reasoning is taken out of `completion_tokens`, unless prompt + completion + reasoning is exactly the total: then
/// the
///   provider (xAI) counts it beside the completion.
/// A count that is absent or null is 0. Never throws.
/// \param text  the object; with json_tail::ignored anything may follow it
/// \param size  set to the size of the object when it is one valid JSON object with counts in range, else to 0
/// \return nothing for broken JSON, for a count that is no integer from 0 to 2^53, and when there is neither a prompt
/// nor
///         a completion token (MiniMax sends zeros in the middle of a stream)
[[nodiscard]] std::optional<base::token_counts> parse_usage(std::string_view text,
                                                            http::json_tail tail = http::json_tail::space,
                                                            std::size_t* size = nullptr) noexcept;

}  // namespace concurred::upstream
