#pragma once

#include "bench/child_process.hpp"
#include "bench/scenario.hpp"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace concurred::bench {

/// What the load is aimed at.
struct load_target {
    std::string url;                                       ///< where the API is
    std::string model_prefix;                              ///< before a model's name that the mock provider reads
    std::map<std::string, std::vector<std::string>> keys;  ///< by the names of the scenario's sets
    std::vector<std::string> fields;                       ///< further header fields of each request
    std::string ledger_url;                                ///< of the mock provider; empty: unknown
    pid_t process = 0;                                     ///< 0: not to be watched
    std::string ca_file;                                   ///< PEM with further roots for a target under TLS
};

/// A gateway with everything on, the mock provider behind it and, if the scenario wants it, a Redis server: processes
/// of ours on free ports of this machine, in a folder that ends with them.
class load_rig {
public:
    /// \param pin each on a processor of its own where there are two: the gateway on the first, all else on the second
    /// \returns nothing when something does not start; `complaint` says what
    [[nodiscard]] static std::unique_ptr<load_rig> start(const scenario& plan, bool pin, std::string& complaint);
    ~load_rig();
    load_rig(const load_rig&) = delete;
    load_rig& operator=(const load_rig&) = delete;

    [[nodiscard]] const load_target& target() const noexcept { return target_; }
    /// Carries out an action of the scenario. \param resume it is the end of its pause
    void act(const load_action& action, bool resume) noexcept;
    [[nodiscard]] bool gateway_runs() noexcept { return gateway_ && gateway_->running(); }
    /// Ends the gateway in order. \returns its exit code; -1: it had to be killed
    int stop_gateway() noexcept;

private:
    load_rig();
    [[nodiscard]] bool start_mock();
    [[nodiscard]] bool start_redis();
    [[nodiscard]] bool start_gateway(const scenario& plan);
    void write_settings(const scenario& plan);
    [[nodiscard]] bool make_keys(const std::string& name, const key_set& set);
    [[nodiscard]] std::optional<std::string> ask(std::vector<std::string> arguments);
    [[nodiscard]] child_options options(std::vector<std::string> command, const std::string& name, int core) const;

    std::string folder_;
    std::string program_;
    std::string mock_url_;
    std::string redis_url_;
    bool pin_ = false;
    load_target target_;
    std::optional<child_process> mock_;
    std::optional<child_process> redis_;
    std::optional<child_process> gateway_;
};

/// `GET` of a plain http URL on this machine, blocking. \returns the body of an answer with status 200
[[nodiscard]] std::optional<std::string> get_text(const std::string& url);

}  // namespace concurred::bench
