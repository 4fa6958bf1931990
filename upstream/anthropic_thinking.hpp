#pragma once

#include "gateway/base/error.hpp"
#include "upstream/anthropic_fields.hpp"
#include "upstream/anthropic_model.hpp"

#include <cstdint>
#include <string>

namespace concurred::upstream {

/// How much a model is to think, in Anthropic's words, and what that makes of the limit of its answer.
struct anthropic_thinking {
    std::string thinking;          ///< the object; empty: not said
    std::string_view effort = "";  ///< of `output_config`; empty: not said
    std::uint64_t max_tokens = 0;
    bool thinks = false;  ///< asked to think, or not to be kept from it
};

/// Decides from `reasoning_effort` or an object `thinking` of Anthropic's own, and from the token limits.
/// @param ceiling most tokens that the model puts out
/// Errors: a field of a wrong type or value.
[[nodiscard]] base::result<anthropic_thinking> anthropic_thinking_of(const anthropic_fields& fields,
                                                                     const anthropic_model& model,
                                                                     std::uint64_t ceiling);

}  // namespace concurred::upstream
