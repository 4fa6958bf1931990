#pragma once

#include <cstdint>
#include <string_view>

namespace concurred::upstream {

/// Which of temperature, top_p and top_k a model takes.
enum class sampling_rule : std::uint8_t {
    free,
    one_of,   ///< temperature or top_p, not both
    refused,  ///< only the defaults
};

/// What a model of Anthropic's takes, as far as a translation has to know.
struct anthropic_model {
    std::string_view prefix;  ///< of the model's id
    std::uint32_t max_output_tokens = 0;
    sampling_rule sampling = sampling_rule::refused;
    bool adaptive = true;           ///< takes `thinking.type: adaptive` and `output_config.effort`
    bool budget = false;            ///< takes `thinking.budget_tokens`
    bool disabled = true;           ///< takes `thinking.type: disabled`
    bool between_tools = false;     ///< takes `thinking.type: between_tools` instead of disabled
    bool always_thinks = false;     ///< cannot be kept from thinking
    bool forced_tools = true;       ///< takes tool_choice any and tool, when it does not think
    bool structured_output = true;  ///< takes `output_config.format`
};

/// The rules for a model by its id; for one that is not known those of the newest ones, with nothing they refuse.
/// Source: Anthropic's documentation of November 2026.
[[nodiscard]] const anthropic_model& anthropic_model_of(std::string_view id) noexcept;

}  // namespace concurred::upstream
