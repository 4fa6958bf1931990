#pragma once

#include <string_view>

namespace concurred::upstream {

/// In what a provider that speaks OpenAI's dialect departs from it.
struct family_policy {
    std::string_view provider;
    bool reasoning_beside = false;  ///< `completion_tokens` leaves reasoning out (xAI)
    bool minimax = false;           ///< thinking in tags or told cumulatively, a last frame that repeats all
};

inline constexpr family_policy x_ai_policy{.provider = "x-ai", .reasoning_beside = true};
inline constexpr family_policy openrouter_policy{.provider = "openrouter"};
inline constexpr family_policy minimax_policy{.provider = "minimax", .minimax = true};

}  // namespace concurred::upstream
