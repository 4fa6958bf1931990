#pragma once

#include "bench/bench_command.hpp"
#include "bench/report_compare.hpp"

#include <functional>

namespace CLI {
class App;
}

namespace concurred::bench {

/// What the flags of `bench` and its commands fill in.
struct bench_choice {
    bench_options run;
    compare_options compare;
    std::string report;
    std::string page;
};

/// Declares `run`, `quick`, `compare`, `report` and `list` on `command`.
/// \param choice filled when the command line is parsed; must outlive `command`
/// \param chosen is set to what the command line asks for; it returns the exit code
void add_bench_command(CLI::App& command, bench_choice& choice, std::function<int()>& chosen);

}  // namespace concurred::bench
