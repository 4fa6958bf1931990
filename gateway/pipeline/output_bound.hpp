#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace concurred::pipeline {

/// The most tokens that the answer to a request may have, as the client wrote it: `max_completion_tokens`,
/// `max_output_tokens`, `max_tokens` or Gemini's `generationConfig.maxOutputTokens`, the largest of those that are
/// there, times `n` answers. nullopt: the client set none. Allocates nothing.
/// @param body a JSON object that was checked
[[nodiscard]] std::optional<std::uint64_t> requested_output(std::string_view body) noexcept;

}  // namespace concurred::pipeline
