#pragma once

#include "gateway/base/error.hpp"

#include <cstdint>

namespace concurred::upstream {

/// Where an attempt was when it failed.
enum class attempt_phase : std::uint8_t {
    preparing,   ///< the request was not put together: nothing was sent
    connecting,  ///< no connection could be had
    answering,   ///< the request went out
};

/// Whom a failed attempt is to be put down to. Breakers and keys learn from it, and nobody learns from a fault that is
/// not theirs.
enum class blame : std::uint8_t {
    nobody,   ///< the client left, the process ends, the caller's own time ran out, or we have no connection to spare
    request,  ///< the provider refused what was asked for: it works, and no other would do better
    model,    ///< the provider has no such model for us, or not for a request of this size: another model may do
    key,      ///< the key is refused, over its rate, or out of money
    way,      ///< the provider cannot be reached: says something of all its models
    answer,   ///< the provider failed at answering: says something of this model
};

/// @param e  an error of an attempt of which the client has seen nothing
[[nodiscard]] blame blame_for(const base::error& e, attempt_phase phase) noexcept;

/// Whether the error is about money, so that the same key cannot do better soon.
[[nodiscard]] bool is_about_money(const base::error& e) noexcept;

/// A word for a fault, for headers, logs and metrics: "connect", "connect_timeout", "timeout", "rate_limited",
/// "overloaded", "key", "quota", "model", "unavailable", "request", "error", "client_gone", "no_capacity"; static text.
[[nodiscard]] std::string_view reason_text(const base::error& e, attempt_phase phase) noexcept;

}  // namespace concurred::upstream
