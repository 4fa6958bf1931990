#pragma once

#include "bench/arrivals.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace concurred::bench {

/// One kind of request of a mix.
struct request_kind {
    std::string name;
    double weight = 1;                      ///< its share of all requests, relative to the others'
    std::string path{"/chat/completions"};  ///< behind the target's own path
    std::string model;                      ///< as it stands in the body; empty: made from `mock`
    std::string mock;                       ///< settings of the mock provider, carried in the model's name
    std::string fields;                     ///< further members of the body, JSON without braces
    std::string key{"good"};                ///< set of keys it takes one of
    bool stream = false;
    std::uint64_t prompt = 900;         ///< bytes of the user's message
    std::uint32_t frames = 0;           ///< stamped tokens that a stream must have; 0: not checked
    std::uint32_t leave_after = 0;      ///< closes the connection after so many events; 0: never
    std::uint64_t read_rate = 0;        ///< reads so many bytes a second at most; 0: as fast as they come
    std::vector<unsigned> expect{200};  ///< statuses that are a success
};

/// A set of API keys that is made before the run.
struct key_set {
    unsigned count = 1;
    unsigned rate_limit = 1'000'000;  ///< requests a minute of each
    bool revoked = false;             ///< made and revoked: well formed, and refused
};

/// A signal to one of the processes that the bench has started.
struct load_action {
    std::chrono::milliseconds at{0};     ///< from the beginning of the run, warm-up included
    std::string to;                      ///< `gateway`, `redis` or `mock`
    int signal = 0;                      ///< number; 0: STOP, and CONT after `pause`
    std::chrono::milliseconds pause{0};  ///< how long the process stands still
    std::chrono::milliseconds every{0};  ///< again after this time, to the end of the run; 0: once
};

/// What must hold for the run to pass.
struct expectation {
    double succeeded = 1;               ///< least share of the requests that were planned in the measured time
    bool unfinished = false;            ///< answers still under way at the end are good
    bool frames = true;                 ///< no frame lost, twice there or out of order in streams that ended
    std::uint64_t rss = 0;              ///< most resident memory of the target, bytes; 0: any
    std::uint64_t growth_per_hour = 0;  ///< most growth of that in the measured time, bytes an hour; 0: any
    bool survives = true;               ///< the gateway runs at the end
};

enum class load_mode { open, closed };

/// A run as a file describes it.
struct scenario {
    std::string name;
    std::string about;
    load_mode mode = load_mode::closed;
    bool poisson = false;
    std::vector<load_stage> stages;  ///< of the whole run, the warm-up included
    unsigned connections = 0;        ///< most at a time (open loop)
    unsigned idle_connections = 0;   ///< opened before the run and left alone
    unsigned threads = 1;
    std::chrono::milliseconds warmup{0};        ///< of the run's time, not measured
    std::chrono::milliseconds drain{5'000};     ///< for answers under way at the end
    std::chrono::milliseconds timeout{60'000};  ///< of one request
    std::chrono::milliseconds lateness{10};     ///< the run is invalid when 1 % of the starts were later than this
    std::uint64_t seed = 1;
    bool redis = false;  ///< the gateway is given a Redis server
    std::vector<request_kind> kinds;
    std::map<std::string, key_set> keys{{"good", {}}};
    std::vector<load_action> actions;
    std::vector<std::pair<std::string, std::string>> gateway;  ///< dotted key and TOML value; `{mock}`: its base URL
    expectation expect;

    [[nodiscard]] std::chrono::milliseconds length() const noexcept;
};

/// Reads a scenario. \param name what to call the text in complaints, e.g. its file
/// \returns it, or all that is wrong with it: `NAME:LINE: what`
[[nodiscard]] std::variant<scenario, std::vector<std::string>> read_scenario(std::string_view text,
                                                                             std::string_view name);

/// The scenarios that are part of the program: name and text, in the order of their names.
[[nodiscard]] const std::vector<std::pair<std::string_view, std::string_view>>& own_scenarios();

/// The scenario of this name, or of this file. \returns it, or what is wrong
[[nodiscard]] std::variant<scenario, std::vector<std::string>> find_scenario(const std::string& name_or_file);

/// Makes the run shorter or longer: all its stages, its warm-up and the times of its actions by the same factor.
void stretch(scenario& plan, std::chrono::milliseconds length);

}  // namespace concurred::bench
