#pragma once

#include <string>
#include <string_view>

namespace concurred::pipeline {

/// A part of a path with its escapes undone: "deepseek%2Fdeepseek-v3.2" is "deepseek/deepseek-v3.2". For values only:
/// what a path is routed by is compared as it came, so that an escaped "/" never becomes a separator.
/// \param escaped of a target that was parsed, where two hexadecimal digits follow every '%'; any other '%' stays
/// Source: RFC 3986 section 2.1
[[nodiscard]] std::string unescaped_path_text(std::string_view escaped);

}  // namespace concurred::pipeline
