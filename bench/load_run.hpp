#pragma once

#include "bench/load_figures.hpp"
#include "bench/load_worker.hpp"
#include "bench/process_watch.hpp"

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace concurred::bench {

/// What the target used, at the end of a window.
struct load_reading {
    std::chrono::nanoseconds at{0};  ///< since the beginning
    std::optional<process_load> target;
    std::chrono::nanoseconds own_cpu{0};  ///< of the load generator
};

/// What happens beside the load while it runs.
struct load_surroundings {
    pid_t watched = 0;  ///< process whose use is read at each window's end; 0: none
    std::function<void(const load_action&, bool resume)> act;  ///< carries out an action; `resume`: the end of a pause
};

/// All that a run has found out.
struct load_result {
    load_figures figures;
    std::optional<process_load> before;  ///< what the target used before anybody connected
    std::vector<load_reading> readings;  ///< the first is of the beginning
    std::string fault;                   ///< what went wrong with the generator itself; empty: nothing
    bool interrupted = false;            ///< SIGINT or SIGTERM ended it
    std::chrono::system_clock::time_point began{};
};

/// Runs the plan with its threads; the calling thread watches. Blocks SIGINT and SIGTERM meanwhile: they end the run
/// early. \param plan `begin` is set
[[nodiscard]] load_result run_load(load_plan& plan, const load_surroundings& around);

}  // namespace concurred::bench
