#pragma once

#include "upstream/chat_request.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace concurred::upstream {

/// Endpoints whose requests and answers go through to providers that have them.
enum class plain_endpoint : std::uint8_t {
    embeddings,
    responses,
};

/// What such a request says about where it goes: `model` and `stream`, as `parse_chat_request` reads them.
/// Errors: those of `parse_chat_request` for these fields and for JSON; missing_required_field without `model` and, for
/// embeddings, without `input`.
[[nodiscard]] base::result<chat_request> parse_plain_request(std::string_view body, plain_endpoint endpoint);

/// Whether a provider has the endpoint. One that is not known speaks OpenAI's API and is taken at its word.
[[nodiscard]] bool has_endpoint(std::string_view provider, plain_endpoint endpoint) noexcept;

/// Path of the endpoint below a provider's base URL.
[[nodiscard]] std::string_view path_of(plain_endpoint endpoint) noexcept;

/// A 400 that says whose models have the endpoint.
[[nodiscard]] base::error no_endpoint(std::string_view provider, plain_endpoint endpoint);

}  // namespace concurred::upstream
