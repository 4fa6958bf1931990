#pragma once

#include <string>

namespace concurred::app {

/// "concurred 0.1.0"
[[nodiscard]] std::string version_line();

/// Prints the version, and with what the program was built and runs.
/// @param json {"version","compiler","boost","openssl","sqlite"}
/// @return exit_ok
[[nodiscard]] int show_version(bool json);

}  // namespace concurred::app
