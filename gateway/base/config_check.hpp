#pragma once

#include "gateway/base/config.hpp"
#include "gateway/base/config_parser.hpp"

#include <map>
#include <string>
#include <vector>

namespace concurred::base {

/// Where a value was set.
struct config_place {
    std::string where;   ///< for problems: "gateway.toml:12:5"
    std::string origin;  ///< for `loaded_config::origins`: "gateway.toml:12"
};

/// A configuration while it is put together.
struct config_draft {
    config values;
    std::map<std::string, config_place> places;  ///< dotted key of everything that was set, tables of the file too
    std::vector<std::string> warnings;
};

/// Checks what no single key can tell: keys that need each other, and settings that are allowed but unsafe. Appends to
/// `problems` and to the draft's warnings.
void check_config(config_draft& draft, std::vector<config_problem>& problems);

}  // namespace concurred::base
