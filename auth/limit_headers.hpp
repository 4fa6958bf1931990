#pragma once

#include "auth/gcra.hpp"
#include "gateway/base/clock.hpp"
#include "gateway/base/error.hpp"
#include "gateway/base/text_buffer.hpp"

namespace concurred::auth {

/// Holds the header lines of any decision.
using limit_header_text = base::text_buffer<384>;

/// The header lines that tell a client about its limit, each ended by CR LF, to be appended to a head as they are:
/// `X-RateLimit-Limit`, `-Remaining`, `-Reset` (Unix seconds at which nothing is used any more), the same as OpenAI
/// names them (`x-ratelimit-limit-requests`, `-remaining-`, `-reset-` with a duration such as `12ms`, `1s`, `6m0s`),
/// and for a denial `Retry-After` (whole seconds, at least 1) and `retry-after-ms`. Times are rounded up: who comes
/// back then is let through. Does not allocate.
/// @param now wall-clock time of the decision.
/// Source: public-api.md 3.5, DECISIONS.md 9; RFC 9110 10.2.3.
[[nodiscard]] limit_header_text limit_headers(const limit_decision& decision, base::wall_time now) noexcept;

/// The error for a denial: 429 RATE_LIMIT_EXCEEDED with `details` {"retryAfter": seconds, "retryAfterMs", "limit",
/// "remaining"}; for a cost that can never pass 400 BAD_REQUEST, since a 429 would be retried for ever.
/// @param decision one that was not allowed.
[[nodiscard]] base::error limit_error(const limit_decision& decision);

}  // namespace concurred::auth
