#pragma once

#include "gateway/base/config.hpp"

#include <map>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace concurred::base {

/// One thing that is wrong with the configuration. Holds no value of a secret.
struct config_problem {
    std::string where;    ///< "gateway.toml:12:5", "environment CONCURRED__SERVER__LISTEN", "flag --listen"
    std::string key;      ///< dotted, e.g. `providers.x-ai.base_url`; empty where no key is concerned
    std::string message;  ///< what is wrong and what is allowed
};

/// `where: key: message`
[[nodiscard]] std::string to_text(const config_problem& problem);

/// Where values come from, from weak to strong: built-in defaults, file, environment, flags.
struct config_sources {
    std::string file;  ///< path of the TOML file; empty: none
    /// The whole environment of the process; variables that do not concern the gateway are not looked at.
    std::map<std::string, std::string> environment;
    std::vector<std::pair<std::string, std::string>> flags;  ///< dotted key -> text of the value
};

/// A configuration without fault.
struct loaded_config {
    config_snapshot values;
    /// Dotted key -> "default", "FILE:LINE", "environment NAME" or "flag". Has every key that `print_config` shows.
    std::map<std::string, std::string> origins;
    std::vector<std::string> warnings;  ///< allowed, but probably not meant; one sentence each
};

/// Reads, merges and checks the configuration. Strings in the file may hold `${env:NAME}`, `${env:NAME:-default}` and
/// `${file:PATH}`; see config_reference.hpp. Secrets may be given by file: `<VARIABLE>_FILE` names it. Provider keys
/// are also taken from the SDKs' own variables (`OPENAI_API_KEY`, ...) where nothing else sets them. Blocking file
/// access: for start-up and reload. Returns the configuration, or all problems at once, those of the file in the order
/// of its lines.
[[nodiscard]] std::variant<loaded_config, std::vector<config_problem>> load_config(const config_sources& sources);

/// The merged configuration as TOML with the origin of each value as a comment, or as JSON with
/// `{"value": ..., "origin": ...}` per key. Secrets appear as `***` and, when long enough, their last four characters.
[[nodiscard]] std::string print_config(const loaded_config& loaded, bool json);

}  // namespace concurred::base
