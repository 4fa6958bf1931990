#pragma once

#include "gateway/base/config.hpp"
#include "gateway/base/error.hpp"
#include "upstream/catalogue.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

namespace concurred::upstream {

/// Where a request for a model goes. The views point into the registry, those of a `provider/model` that is in no
/// catalogue into the requested name: use it while both live.
struct route_target {
    std::string_view provider;
    std::string_view model;               ///< resolved id; asking for it gives the same target again
    std::string_view upstream_model;      ///< what the provider calls it
    const model_price* price = nullptr;   ///< null: not known, the usage is counted as unpriced
    std::uint32_t context_window = 0;     ///< tokens; 0: not known
    std::uint32_t max_output_tokens = 0;  ///< 0: not known
};

/// A model that can be named directly.
struct registered_model {
    std::string id;
    std::string provider;
    std::string upstream_model;
    std::uint32_t context_window = 0;
    std::uint32_t max_output_tokens = 0;
    model_input input = model_input::text;
    std::optional<model_price> price;
};

/// A further name of a model.
struct registered_alias {
    std::string alias;
    std::size_t model = 0;  ///< index into `model_registry::models`
};

/// Whether a name may be sent to a provider as it is, in a body or as a part of a path: 1 to 96 letters, digits and
/// "-._:/@+=;,~", without empty, "." and ".." segments.
[[nodiscard]] bool is_upstream_model_name(std::string_view name) noexcept;

/// What models there are and where they go: the catalogue with the configuration's changes. Immutable, made once per
/// configuration, and may be read by all shards.
class model_registry {
public:
    model_registry(model_registry&&) noexcept = default;
    model_registry& operator=(model_registry&&) noexcept = default;

    /// Finds the target of what a client wrote as `model`. In this order: an alias or an id; then `provider/model` with
    /// a configured provider, where the rest may be any id that provider knows, in the catalogue or not. An OpenRouter
    /// slug that begins with the name of another provider (`anthropic/claude-opus-5`) goes to OpenRouter, unless
    /// OpenRouter is off and that provider is on and has the model. Allocates nothing when the model is found. \return
    /// the target, or errc::invalid_model with up to three similar names
    [[nodiscard]] base::result<route_target> resolve(std::string_view requested) const;

    [[nodiscard]] std::span<const registered_model> models() const noexcept { return models_; }
    /// Built-in aliases in documented order, then `auto`, then those of the configuration.
    [[nodiscard]] std::span<const registered_alias> aliases() const noexcept { return aliases_; }

private:
    friend class registry_builder;
    model_registry() = default;

    std::vector<registered_model> models_;
    std::vector<registered_alias> aliases_;
    std::vector<std::string> providers_;
    /// Name -> index of a model. The names are those of the three vectors above and live as long.
    std::unordered_map<std::string_view, std::size_t> index_;
};

/// Something wrong with `[models.<alias>]`, found when it is held against the catalogue.
struct model_problem {
    std::string key;      ///< dotted, e.g. `models.fast.target`
    std::string message;  ///< what is wrong and what is allowed
};

/// Makes the registry. `[models.<name>]` with `target` makes an alias, also of a catalogue id; without, it changes the
/// model of that id or, with `provider`, adds one. The alias `auto` stands for the first of gpt, claude, gemini, grok,
/// deepseek, mistral, kimi, llama and minimax whose provider has a key, else for gpt.
/// \return the registry, or all problems at once
[[nodiscard]] std::variant<model_registry, std::vector<model_problem>> make_model_registry(const base::config& config);

}  // namespace concurred::upstream
