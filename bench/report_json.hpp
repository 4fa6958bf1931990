#pragma once

#include "bench/load_run.hpp"
#include "bench/scenario.hpp"

#include <boost/json/object.hpp>

#include <optional>
#include <string>
#include <vector>

namespace concurred::bench {

/// Version of the report's form; `bench/report.schema.json` describes it. A change that readers must know of changes
/// it.
inline constexpr std::string_view report_schema = "concurred-bench/1";

/// What a report is made of.
struct report_input {
    const scenario& plan;
    const load_result& result;
    std::string target;  ///< URL, which holds no secret
    std::chrono::nanoseconds window;
    std::optional<std::string> ledger;  ///< the mock provider's, as it gave it
    std::optional<int>
        gateway_exit;         ///< how the gateway that was started for the run ended; -1: it did not end in order
    bool gateway_ran = true;  ///< it still ran at the end of the load
};

/// The report of a run as JSON. Times are microseconds where a name does not say otherwise.
[[nodiscard]] boost::json::object make_report(const report_input& in);

/// Slope of the resident memory over the measured time, by least squares, in bytes an hour; 0 with fewer than two
/// readings.
[[nodiscard]] double growth_per_hour(const std::vector<load_reading>& readings, std::chrono::nanoseconds measured_from);

/// Why the run says nothing about the target: the generator was late, had too few connections, or was ended.
[[nodiscard]] std::vector<std::string> invalid_because(const scenario& plan, const load_result& result);

/// What of the scenario's expectations does not hold.
[[nodiscard]] std::vector<std::string> broken_expectations(const report_input& in);

}  // namespace concurred::bench
