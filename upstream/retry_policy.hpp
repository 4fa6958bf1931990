#pragma once

#include "upstream/fault.hpp"

#include <chrono>
#include <cstdint>

namespace concurred::upstream {

/// What is known when an attempt has failed and the client has seen nothing of it.
struct retry_question {
    blame fault = blame::nobody;
    bool repeatable = false;             ///< the same request may succeed at the same place (`error::retry` is safe)
    bool money = false;                  ///< `is_about_money`
    std::chrono::milliseconds asked{0};  ///< how long the provider wants us to wait; 0: it did not say
    unsigned repeats = 0;                ///< that this target has had already
    unsigned allowed = 2;                ///< repeats that each target may have
    bool other_key = false;              ///< the provider has another key, and it is awake
    bool other_target = false;           ///< there is another model to try
    bool open = false;                   ///< the breaker of this target has opened
    std::chrono::milliseconds left{0};   ///< of the request's time
    double dice = 0.5;                   ///< in [0, 1): spreads the waits of those who failed together
    std::chrono::milliseconds backoff{250};  ///< wait before the first repeat, doubled for each further one
};

enum class retry_step : std::uint8_t {
    repeat,       ///< the same target after `wait`
    next_target,  ///< another model, at once
    give_up,      ///< the client gets the error
};

struct retry_decision {
    retry_step step = retry_step::give_up;
    std::chrono::milliseconds wait{0};
};

/// Longest wait between two attempts without a provider's word, before it is spread.
inline constexpr std::chrono::milliseconds longest_backoff{8'000};
/// With another model at hand nobody waits longer than this for the first.
inline constexpr std::chrono::milliseconds patience_with_alternative{2'000};

/// Decides what follows. A request that is at fault itself ends here; money, and what repeating does not help, goes to
/// the next target; the rest is repeated within its number, the wait the provider asked for never being shortened. A
/// wait that is longer than the time left, or than the patience when there is an alternative, is not begun.
/// Whether the provider's budget allows a repeat is asked afterwards, so that it pays only for those that happen.
[[nodiscard]] retry_decision decide_retry(const retry_question& q) noexcept;

}  // namespace concurred::upstream
