#pragma once

#include "gateway/base/error.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace concurred::http {

/// Whose form an answer has, which is that of the client's request.
enum class api_form : std::uint8_t {
    openai,
    anthropic_messages,  ///< Anthropic's Messages API
    anthropic_count,     ///< its count of tokens
};

/// The JSON body of an error answer. In OpenAI's form it is `{"error":{"code","message","type","param","details"}}`,
/// which the product's clients and OpenAI's SDKs read: `param` is null when empty, `details` is always an object, and
/// `code` and `type` are the provider's own where the error carries them. In Anthropic's it is
/// `{"type":"error","error":{"type","message"},"request_id"}`.
[[nodiscard]] std::string render_error(const base::error& e, api_form form = api_form::openai,
                                       std::string_view request_id = {});

/// The same as an event for a stream that has begun.
[[nodiscard]] std::string render_error_event(const base::error& e, api_form form = api_form::openai,
                                             std::string_view request_id = {});

}  // namespace concurred::http
