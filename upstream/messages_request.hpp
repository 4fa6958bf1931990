#pragma once

#include "gateway/base/error.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace concurred::upstream {

/// What the provider of a translated Messages request takes.
struct messages_target {
    std::string_view model;      ///< as the provider calls it
    bool chat_form = true;       ///< the result goes out as it is, to a provider of OpenAI's own form
    bool cache_markers = false;  ///< it takes `cache_control` on parts
    bool newer_limit = false;    ///< it takes `max_completion_tokens`, not `max_tokens`
    bool thinking = false;       ///< it takes `reasoning_effort` for every model
    bool top_k = false;          ///< it takes `top_k`
};

/// A request of Anthropic's Messages API as a chat completion.
struct chat_from_messages {
    std::string body;
    std::vector<std::string> dropped;  ///< fields that only tune and have no place in a chat completion
};

/// Errors: bad_request that names the field which a chat completion cannot say.
/// @param body valid JSON, checked by `parse_chat_request`
[[nodiscard]] base::result<chat_from_messages> to_chat(std::string_view body, const messages_target& target);

}  // namespace concurred::upstream
