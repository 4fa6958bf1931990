#pragma once

#include "gateway/app/load.hpp"

namespace concurred::app {

struct migrate_options {
    config_options config;
};

/// Brings the schema of the configured databases to this program's version, and says from where. Safe while others do
/// the same.
/// @return an exit code; what went wrong is on stderr
[[nodiscard]] int migrate_databases(const migrate_options& options);

}  // namespace concurred::app
