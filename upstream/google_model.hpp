#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace concurred::upstream {

/// How a Gemini model is told how much to think.
enum class gemini_thinking : std::uint8_t {
    none,    ///< it cannot
    budget,  ///< in tokens (2.5)
    level,   ///< in words (3 and later)
};

/// What differs between the models of Google's API, by their id. An id that is not known counts as a current one.
/// Source: the providers' documentation as collected in the project's reference, November 2026.
struct gemini_model {
    gemini_thinking thinking = gemini_thinking::level;
    std::uint32_t least_budget = 0;      ///< tokens; a smaller budget is refused
    std::uint32_t most_budget = 24'576;  ///< tokens
    bool thinks_by_default = true;
    bool can_stop_thinking = true;   ///< a budget of 0 is accepted
    bool system_instruction = true;  ///< Gemma has none
    bool penalties = false;          ///< presence and frequency penalties are accepted
    bool json_with_tools = true;     ///< JSON mode together with functions is accepted
    bool validated_calls = true;     ///< function calling mode VALIDATED exists
    bool signed_calls = true;        ///< a function call sent back needs a thought signature
    bool minimal_level = false;      ///< thinking level MINIMAL exists
    bool medium_level = true;        ///< thinking level MEDIUM exists
    bool extra_high_level = false;   ///< thinking level XHIGH exists
};

/// @param id with or without "models/"
[[nodiscard]] gemini_model gemini_model_of(std::string_view id) noexcept;

/// The `thinkingConfig` for what the client asked; empty: leave it out.
/// @param effort     OpenAI's `reasoning_effort`, one of its seven words; empty: not given
/// @param max_tokens limit of the answer, thinking included; 0: none. Budgets leave half of it to the answer.
[[nodiscard]] std::string gemini_thinking_config(const gemini_model& model, std::string_view effort,
                                                 std::uint64_t max_tokens);

}  // namespace concurred::upstream
