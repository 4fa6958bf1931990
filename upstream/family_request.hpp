#pragma once

#include "upstream/dialect.hpp"
#include "upstream/family_policy.hpp"

#include <string_view>

namespace concurred::upstream {

/// A chat completion for a provider that follows OpenAI: copied but for what that provider refuses or calls otherwise,
/// and for the gateway's own fields.
/// Errors: bad_request that names a field which it cannot do and whose loss would change the meaning.
[[nodiscard]] base::result<translated_request> to_family_request(std::string_view body,
                                                                 const translation_context& context,
                                                                 const family_policy& policy);

}  // namespace concurred::upstream
