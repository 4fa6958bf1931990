#pragma once

#include "auth/spend.hpp"

#include <chrono>
#include <optional>

namespace concurred::auth {

// Denials that Redis gave are remembered for a moment, so that a crowd that is denied does not ask it for each request.
// Only for a moment, because other gateways may give something back at any time; what this gateway gives back makes it
// forget at once. Lock-free; threads that write together can at worst deny one that would pass for that moment.

/// How long a denial of a place is believed, and one of tokens or money.
inline constexpr std::chrono::milliseconds place_memory{100};
inline constexpr std::chrono::milliseconds amount_memory{1'000};

/// Remembers that `request` was denied.
void remember(spend_denials& denials, const spend_decision& denied, const spend_request& request,
              base::steady_time now) noexcept;

/// The denial that is remembered for a request that wants as much, or more, of the same limit.
[[nodiscard]] std::optional<spend_decision> denied_before(const spend_denials& denials, const spend_limits& limits,
                                                          const spend_request& request, base::steady_time now) noexcept;

/// Something was given back.
void forget(spend_denials& denials) noexcept;

}  // namespace concurred::auth
