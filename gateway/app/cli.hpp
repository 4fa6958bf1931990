#pragma once

namespace concurred::app {

/// Runs the command that `argv` names.
/// @return the exit code of the process: see exit_code.hpp
[[nodiscard]] int run(int argc, char** argv);

}  // namespace concurred::app
