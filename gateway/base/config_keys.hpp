#pragma once

#include "gateway/base/config_value.hpp"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace concurred::base {

/// The parts of a key's name: {"providers", "x-ai", "base_url"}.
using key_path = std::vector<std::string>;

/// One scalar of a configuration: its name, what it accepts and where it is kept.
struct config_key {
    key_path path;
    value_rule rule;
    config_slot slot;  ///< points into the configuration it was made from
};

/// All scalars of `values`, in the order of the table, those of a section together. Optional ones that are not set are
/// among them. The slots stay valid until an entry of a map is erased.
[[nodiscard]] std::vector<config_key> keys_of(config& values);

/// What a name stands for.
struct key_lookup {
    enum class kind { scalar, table, unknown } found = kind::unknown;
    std::optional<config_key> key;  ///< set for a scalar
    std::string fault;              ///< for `unknown`: what is wrong, with a suggestion or the names allowed there
};

/// Finds the key or table with this name. A name below `providers`, `models` or `limits.paths` that is not there yet is
/// added to `values`.
[[nodiscard]] key_lookup find_key(config& values, const key_path& path);

/// Finds the key an environment variable stands for: `CONCURRED__SECTION__KEY`. Names of providers, models and paths
/// match with '-', '.', '/', ':', '*' and '_' being equal and case being ignored; a new provider or model is added in
/// lower case. `fault` names the nearest variable.
[[nodiscard]] key_lookup find_environment_key(config& values, std::string_view variable);

/// The environment variable of a key.
[[nodiscard]] std::string environment_name(const key_path& path);

/// The name as TOML writes it, parts joined by dots and quoted where needed: `models."gpt-5.2".input_price`.
[[nodiscard]] std::string dotted(std::span<const std::string> path);

/// Reads a name written like `dotted` does. Empty if it is not one.
[[nodiscard]] key_path parse_dotted(std::string_view text);

/// A configuration in which nothing was set: the defaults of config.hpp, the built-in providers and path limits.
[[nodiscard]] config default_config();

}  // namespace concurred::base
