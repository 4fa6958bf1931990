#pragma once

#include "gateway/base/error.hpp"

#include <string>
#include <string_view>

namespace concurred::upstream {

/// Says a whole answer as the stream that its client awaits: providers now and then answer a request for a stream with
/// plain JSON. What the answer is its form tells: a chat completion, a message of Anthropic's, or a response of
/// OpenAI's Responses API. The stream is whole, with its end mark.
/// @param include_usage of a chat completion: a last chunk with the usage
/// Errors: upstream_error when it is none of them.
[[nodiscard]] base::result<std::string> stream_of_whole(std::string_view answer, bool include_usage);

/// The three forms. The text is a valid object of that form.
void append_completion_stream(std::string& out, std::string_view completion, bool include_usage);
void append_message_stream(std::string& out, std::string_view message);
void append_response_stream(std::string& out, std::string_view response);

}  // namespace concurred::upstream
