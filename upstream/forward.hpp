#pragma once

#include "gateway/http/response.hpp"
#include "upstream/prepared_request.hpp"
#include "upstream/provider.hpp"
#include "upstream/relay.hpp"

namespace concurred::upstream {

/// What a request to a provider needs besides itself.
struct forward_context {
    base::buffer_pool& buffers;
    base::timing_wheel& wheel;
    relay_observer& observer;
    std::chrono::milliseconds silence;  ///< a stream without output for this long gets a comment; 0: never
};

/// Sends a request to a provider and completes with its answer, as soon as that has begun: for a stream with its first
/// content, or after `silence` without any. A request that a reused connection swallowed before it answered is sent
/// once more, on a connection of its own. Header fields of the answer are written to `x` only when there is one.
/// @param request valid until the answer has begun
/// Errors: those of the pool, of the way to the provider, of its budgets, and the provider's own. Nothing went to the
/// client, and the observer was told nothing.
[[nodiscard]] base::task<base::result<http::response>> forward(forward_context context, provider& to, http::exchange& x,
                                                               const prepared_request& request);

}  // namespace concurred::upstream
