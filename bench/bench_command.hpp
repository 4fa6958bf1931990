#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <sys/types.h>

namespace concurred::bench {

/// How a run is started. What is left at its default is the scenario's.
struct bench_options {
    std::string scenario;             ///< name or file
    std::string target;               ///< URL of a running API; empty: a gateway and a mock provider of our own
    bool anywhere = false;            ///< the target may be another machine
    std::vector<std::string> keys;    ///< for the target: `KEY` of the set `good`, or `SET=KEY`
    std::vector<std::string> fields;  ///< further header fields of each request, `Name: value`
    std::string model_prefix = "openai/";
    std::string ledger_url;  ///< the mock provider's, behind the target
    std::string ca_file;
    pid_t process = 0;  ///< of the target
    bool pin = false;
    double level = 0;  ///< of every stage; 0: the scenario's
    unsigned connections = 0;
    unsigned threads = 0;
    std::string length;  ///< of the run, e.g. "30s"
    std::string json_file;
    std::string html_file;
    bool list = false;
};

/// Runs a scenario and says what came of it.
/// \returns 0; 1: the scenario's expectations do not hold; 64: the target is not allowed; 69: nothing can be said,
/// because something did not start or the generator was late; 78: the scenario is wrong
int run_bench(const bench_options& options);

/// Prints the names of the scenarios that are part of the program, and what they are about.
int list_scenarios();

/// Makes the page of a report. \returns 0; 69: a file cannot be read or written, or is no report
int render_report(const std::string& report, const std::string& page);

}  // namespace concurred::bench
