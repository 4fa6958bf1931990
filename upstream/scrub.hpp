#pragma once

#include <string>
#include <string_view>

namespace concurred::upstream {

/// A provider's text with everything that looks like a credential or names an account replaced by "***": keys (`sk-…`,
/// `xai-…`, `AIza…`), JSON web tokens, what follows `Bearer`, and OpenAI's organisation and project ids. Errs on the
/// side of replacing too much.
[[nodiscard]] std::string scrub_secrets(std::string_view text);

}  // namespace concurred::upstream
