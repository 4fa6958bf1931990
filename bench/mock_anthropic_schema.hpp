#pragma once

#include "bench/mock_schema.hpp"

#include <cstdint>
#include <string_view>

namespace concurred::bench {

/// Anthropic's Messages: type `Request`. Source: the published types of its SDK, by the reference of providers,
/// section 3.2.
[[nodiscard]] const mock_schema& anthropic_schema();

/// What a model takes. Source: section 3.6.
struct anthropic_model {
    enum class sampling : std::uint8_t { free, one, refused };  ///< `one`: temperature or top_p
    std::string_view prefix;
    std::uint32_t longest = 0;  ///< answer; 0: not known
    sampling samples = sampling::free;
    bool budget = true;       ///< thinking with a budget
    bool adaptive = true;     ///< thinking of its own measure
    bool disabled = true;     ///< no thinking, said so
    bool forced = true;       ///< a tool may be demanded
    bool prefill = true;      ///< an answer may be begun
    bool late_system = true;  ///< a system message may stand in the middle
    bool structured = true;   ///< an answer in a schema
};

/// The row for a model; of an unknown one, which takes everything.
[[nodiscard]] const anthropic_model& anthropic_model_of(std::string_view model) noexcept;

}  // namespace concurred::bench
