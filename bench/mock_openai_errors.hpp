#pragma once

#include <string>
#include <string_view>

namespace concurred::bench {

/// OpenAI's error body with these four texts. \param code, \param param empty: null
[[nodiscard]] std::string openai_error(std::string_view message, std::string_view type, std::string_view code,
                                       std::string_view param = {});

/// OpenAI's usual error body for an HTTP status. Source: recorded answers; reference of providers, section 1.7.
/// \param code replaces the usual `error.code`; a code about money also changes the type. Empty: the usual one
/// \param model named in the message of 404 and 429
[[nodiscard]] std::string openai_error_body(unsigned status, std::string_view code, std::string_view model);

}  // namespace concurred::bench
