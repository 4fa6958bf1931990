#pragma once

#include "gateway/base/config_parser.hpp"

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace concurred::app {

/// What a command line says about the configuration.
struct config_options {
    std::string file;              ///< of `--config`; empty: not given
    std::vector<std::string> set;  ///< of `--set`, each `KEY=VALUE`
    /// Dotted key -> value of flags with a name of their own (`--listen`). Stronger than `set`.
    std::vector<std::pair<std::string, std::string>> shorthands;
};

/// A configuration without fault, or all that is wrong with it.
using load_outcome = std::variant<base::loaded_config, std::vector<base::config_problem>>;

/// The environment this process was started with.
[[nodiscard]] std::map<std::string, std::string> process_environment();

/// The file to read: that of the options, else that of CONCURRED_CONFIG, else `concurred.toml` in the working folder if
/// there is one, else none (empty).
[[nodiscard]] std::string config_file_of(const config_options& options,
                                         const std::map<std::string, std::string>& environment);

/// Reads and checks the configuration, beyond what `base::load_config` can check: models, provider addresses, the
/// master key. Reads files.
[[nodiscard]] load_outcome load(const config_options& options, std::map<std::string, std::string> environment);

/// The same with this process's environment; problems go to stderr, one a line.
/// @return nullopt when there was a problem: exit with exit_configuration
[[nodiscard]] std::optional<base::loaded_config> load_or_complain(const config_options& options);

}  // namespace concurred::app
