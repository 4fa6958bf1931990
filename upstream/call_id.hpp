#pragma once

#include <string>
#include <string_view>

namespace concurred::upstream {

/// An id for a tool call that its provider gave none: `call_` and a UUID, made from the answer's id and the call's
/// place in it. The same however a stream is cut, and different for every call of a conversation.
[[nodiscard]] std::string made_call_id(std::string_view answer_id, unsigned choice, unsigned number);

/// A random id for an answer that its provider gave none.
[[nodiscard]] std::string made_answer_id();

}  // namespace concurred::upstream
