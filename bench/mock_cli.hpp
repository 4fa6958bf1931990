#pragma once

#include "bench/mock.hpp"

namespace CLI {
class App;
}

namespace concurred::bench {

/// Declares the flags of the mock provider on `command`: those of `mock_options`, and one for every setting of a
/// request (`--tokens 20 --no-done`).
/// \param options filled when the command line is parsed; must outlive `command`
void add_mock_command(CLI::App& command, mock_options& options);

}  // namespace concurred::bench
