#pragma once

#include "gateway/base/config.hpp"

#include <string>

namespace concurred::app {

/// Tells the running gateways that a key was changed by a command: through Redis, if that is configured; else those on
/// this database find out by themselves. Waits a second at most. When Redis cannot be told, says so on standard error.
void announce_key_change(const base::config& settings, const std::string& key_id);

}  // namespace concurred::app
