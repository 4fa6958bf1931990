#pragma once

#include "gateway/http/response.hpp"
#include "upstream/provider.hpp"
#include "upstream/relay.hpp"

#include <span>
#include <string_view>

namespace concurred::upstream {

/// What a request to a provider needs besides its body.
struct forward_context {
    base::buffer_pool& buffers;
    base::timing_wheel& wheel;
    relay_observer& observer;
    std::chrono::milliseconds silence;  ///< a stream without output for this long gets a comment; 0: never
};

/// Sends a chat completion to a provider of the OpenAI family and completes with its answer, as soon as that has begun:
/// for a stream with its first content, or after `silence` without any. A request that a reused connection swallowed
/// before it answered is sent once more, on a connection of its own.
/// @param body pieces of the request body, valid until the answer has begun
/// Errors: those of the pool, of the way to the provider, of its budgets, and the provider's own. Nothing went to the
/// client, and the observer was told nothing.
[[nodiscard]] base::task<base::result<http::response>> forward(forward_context context, provider& to, http::exchange& x,
                                                               std::span<const std::string_view> body,
                                                               std::size_t body_size, relay::params params);

}  // namespace concurred::upstream
