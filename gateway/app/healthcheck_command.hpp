#pragma once

#include "gateway/app/load.hpp"

#include <optional>
#include <string>

namespace concurred::app {

struct healthcheck_options {
    config_options config;           ///< read only when there is no `url`
    std::optional<std::string> url;  ///< nullopt: /readyz of the configured admin listener
};

/// Asks a running server whether it is ready, for container health checks and scripts. At most 3 seconds.
/// @return exit_ok for a status of 2xx, else exit_failure with the reason on stderr; exit_usage for a URL that is none
[[nodiscard]] int check_health(const healthcheck_options& options);

}  // namespace concurred::app
