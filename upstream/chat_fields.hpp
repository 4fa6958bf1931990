#pragma once

#include "gateway/http/json_scan.hpp"

#include <array>
#include <cstdint>
#include <string_view>

namespace concurred::upstream {

/// The fields of a chat completion request that the gateway reads.
enum class chat_field : std::uint8_t {
    model,
    messages,
    stream,
    stream_options,
    tools,
    tool_choice,
    max_tokens,
    max_completion_tokens,
    reasoning_effort,
    // From here on: read by the gateway only, and left out of what the provider gets.
    fallback,
    retries,
    timeout,
    load_balance,
    guardrails,
    prompt_id,
    prompt_version,
    prompt_variables,
    none,  ///< any other field
};

inline constexpr std::array<std::string_view, 17> chat_field_names{"model",
                                                                   "messages",
                                                                   "stream",
                                                                   "stream_options",
                                                                   "tools",
                                                                   "tool_choice",
                                                                   "max_tokens",
                                                                   "max_completion_tokens",
                                                                   "reasoning_effort",
                                                                   "fallback",
                                                                   "retries",
                                                                   "timeout",
                                                                   "load_balance",
                                                                   "guardrails",
                                                                   "prompt_id",
                                                                   "prompt_version",
                                                                   "prompt_variables"};

[[nodiscard]] constexpr std::string_view name_of(chat_field field) noexcept {
    return chat_field_names[static_cast<std::size_t>(field)];
}
[[nodiscard]] constexpr bool is_gateway_only(chat_field field) noexcept {
    return field >= chat_field::fallback && field != chat_field::none;
}

/// Which field a member is.
struct field_match {
    chat_field field = chat_field::none;
    bool exact = true;  ///< false: the same word in other letter case
};

/// Recognises a field in every spelling that some JSON decoder takes for it: with escapes, and in any letter case,
/// since decoders exist (Go's among them) that ignore case. So no provider can read a `model` that the gateway has not
/// seen.
[[nodiscard]] field_match match_field(const http::json_member& member);

}  // namespace concurred::upstream
