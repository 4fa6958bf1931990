#pragma once

#include "gateway/app/load.hpp"

namespace concurred::app {

/// Checks the configuration as `serve` would, without starting anything: also certificates and keys. Prints "OK" and
/// warnings, or all problems.
/// @param json {"ok","file","warnings":[…],"problems":[{"where","key","message"}]} on stdout
/// @return exit_ok, also with warnings; exit_configuration
[[nodiscard]] int check_config_command(const config_options& options, bool json);

/// Prints the configuration in force with the origin of each value, secrets masked.
/// @return exit_ok, or exit_configuration
[[nodiscard]] int print_config_command(const config_options& options, bool json);

}  // namespace concurred::app
