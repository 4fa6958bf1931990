#pragma once

#include "upstream/dialect.hpp"

#include <string_view>

namespace concurred::upstream {

/// A chat completion as a request to Anthropic's Messages API. Errors: as of `dialect::request`.
[[nodiscard]] base::result<translated_request> to_anthropic(std::string_view body, const translation_context& context);

}  // namespace concurred::upstream
