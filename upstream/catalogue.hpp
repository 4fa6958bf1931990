#pragma once

#include "upstream/cost.hpp"

#include <cstdint>
#include <span>
#include <string_view>

namespace concurred::upstream {

/// The date of the compiled-in prices as yyyymmdd; noted in every usage record they priced.
inline constexpr std::uint32_t price_version = 20261122;
/// The same date as Unix seconds: the `created` of the entries of the model list.
inline constexpr std::int64_t price_version_time = 1'795'305'600;

/// What a model is for.
enum class model_input : std::uint8_t {
    text,            ///< text only, or not known to read images
    image,           ///< text and images
    text_to_vector,  ///< embeddings: text in, no text out
};

/// A model that the gateway knows without configuration.
struct catalogue_model {
    std::string_view id;                  ///< as clients name it and as its provider names it
    std::string_view provider;            ///< one of the built-in providers
    std::uint32_t context_window = 0;     ///< tokens
    std::uint32_t max_output_tokens = 0;  ///< 0: not known
    model_input input = model_input::text;
    model_price price;
};

/// A short name for a model.
struct catalogue_alias {
    std::string_view alias;
    std::string_view model;  ///< id of a catalogue model
};

/// All compiled-in models, in the order of the price list.
[[nodiscard]] std::span<const catalogue_model> catalogue_models() noexcept;

/// All compiled-in aliases, in documented order. `auto` is not among them: it depends on which providers are on.
[[nodiscard]] std::span<const catalogue_alias> catalogue_aliases() noexcept;

}  // namespace concurred::upstream
