#pragma once

#include <string>
#include <string_view>

namespace concurred::upstream {

/// A provider's text with everything that looks like a credential or names an account replaced by "***": keys (`sk-…`,
/// `xai-…`, `AIza…`), JSON web tokens, what follows `Bearer`, and OpenAI's organisation and project ids. Errs on the
/// side of replacing too much.
/// \param key  the key that the request was sent with, replaced whatever it looks like; empty: not known
[[nodiscard]] std::string scrub_secrets(std::string_view text, std::string_view key = {});

}  // namespace concurred::upstream
