#pragma once

#include "upstream/model_registry.hpp"

#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace concurred::upstream {

/// The answers of `GET /api/v1/models` and `GET /api/v1/models/{id}`, rendered once: the OpenAI list with aliases
/// first, then the models. Each entry has, besides OpenAI's `id`, `object`, `created` and `owned_by`: `provider`,
/// `alias_of` (null for a model), `context_window` and `max_output_tokens` (tokens, or null), `pricing` (null when not
/// known, else `prompt`, `completion` and where they exist `cached_prompt` and `cache_write`: USD per token as decimal
/// strings, as OpenRouter's list has them), and `capabilities` (booleans `streaming`, `tools`, `vision`,
/// `prompt_caching`). `created` is the date of the price list. Immutable; may be read by all shards.
class models_list {
public:
    /// Renders the models and aliases whose provider `available` says yes to. Neither argument is kept.
    models_list(const model_registry& registry, const std::function<bool(std::string_view provider)>& available);

    /// The JSON body of the list. Lives as long as this object.
    [[nodiscard]] std::string_view list() const noexcept { return body_; }

    /// The JSON object of one model or alias; nothing if it is not listed.
    [[nodiscard]] std::optional<std::string_view> find(std::string_view id) const;

private:
    struct piece {
        std::size_t begin = 0;
        std::size_t size = 0;
    };

    std::string body_;
    std::map<std::string, piece, std::less<>> pieces_;  // parts of `body_`
};

/// A price in USD per token as a plain decimal: 1'750'000 pico-USD is "0.00000175".
[[nodiscard]] std::string usd_per_token(std::uint64_t pico_usd);

}  // namespace concurred::upstream
