#pragma once

#include "upstream/dialect.hpp"

#include <string_view>

namespace concurred::upstream {

/// `dialect::request` of Google's dialect.
[[nodiscard]] base::result<translated_request> to_gemini_request(std::string_view body,
                                                                 const translation_context& context);

}  // namespace concurred::upstream
