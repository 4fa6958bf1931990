#pragma once

#include "gateway/base/usage_record.hpp"
#include "upstream/json_parts.hpp"

#include <string>
#include <string_view>

namespace concurred::upstream {

/// Anthropic's stop_reason for OpenAI's finish_reason.
[[nodiscard]] std::string_view stop_reason_of(json_part finish_reason) noexcept;

/// Appends Anthropic's `usage` object for counts in disjoint classes.
void append_anthropic_usage(std::string& out, const base::token_counts& counts);

/// Appends the content blocks for a message of OpenAI's, with commas.
void append_content_blocks(std::string& out, std::string_view message);

/// A content block of thoughts for an item of `reasoning_details`; empty: there is none for it.
[[nodiscard]] std::string thinking_block_of(std::string_view item);

}  // namespace concurred::upstream
