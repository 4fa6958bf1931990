#pragma once

#include "gateway/base/usage_record.hpp"

#include <cstdint>
#include <optional>
#include <string_view>

namespace concurred::upstream {

/// What one event of an OpenAI-shape stream says, as far as the gateway wants to know it.
struct chunk_facts {
    std::uint64_t text_bytes = 0;  ///< new output: text, reasoning, refusal, names and arguments of tool calls
    std::uint64_t details_bytes =
        0;  ///< text in reasoning_details when it stands nowhere else; MiniMax repeats it whole
    std::uint64_t message_bytes = 0;  ///< text of a whole `message`, which repeats all deltas before it
    bool content = false;             ///< something a reader of the answer would see, a finish_reason or usage figures
    bool finished = false;            ///< a finish_reason that is not null
    bool usage_only = false;          ///< `choices` is an empty array, `usage` an object, and there is no error
    bool error = false;               ///< an `error` that is not null or false, or a MiniMax `base_resp` other than 0
    std::optional<base::token_counts> usage;
};

/// Reads one event's JSON. The common chunk, with a delta and nothing else of interest, costs one pass over its bytes
/// that stops at a few keys; only usage figures, a finish reason or an error make it a full, checked parse, and are
/// believed only at their place in it. What is no JSON object has no facts.
[[nodiscard]] chunk_facts read_chunk(std::string_view json) noexcept;

}  // namespace concurred::upstream
