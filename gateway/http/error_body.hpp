#pragma once

#include "gateway/base/error.hpp"

#include <string>

namespace concurred::http {

/// The JSON body of an error answer: `{"error":{"code","message","type","param","details"}}`, in the one form that the
/// product's clients and OpenAI's SDKs read. `param` is null when empty, `details` is always an object, and `code` and
/// `type` are the provider's own where the error carries them.
[[nodiscard]] std::string render_error(const base::error& e);

/// The same as an event for a stream that has begun: `data: {…}` and a blank line.
[[nodiscard]] std::string render_error_event(const base::error& e);

}  // namespace concurred::http
