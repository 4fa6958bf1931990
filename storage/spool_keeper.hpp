#pragma once

#include "gateway/base/error.hpp"
#include "storage/database_thread.hpp"
#include "storage/dead_spool.hpp"
#include "storage/usage_spool.hpp"

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace concurred::storage {

struct spool_options {
    std::string root;                         ///< folder of all spools of this machine
    std::size_t limit_bytes = 1'073'741'824;  ///< of this process
    std::chrono::milliseconds sync{100};      ///< what a power cut may take
    unsigned shards = 1;
};

/// What the keeper has to say; on its own thread, each when it begins and when it ends.
struct spool_alarms {
    std::function<void(const base::error&)> on_failure{};  ///< a file cannot be made or synced
    std::function<void()> on_repaired{};
    std::function<void(bool nearly_full)> on_level{};  ///< four fifths of the limit are passed, or no more
};

/// The spools of a process, one for each shard, and the thread that looks after their files.
class spool_keeper {
public:
    /// Errors: the folder cannot be made, or has no space; in words for the operator.
    [[nodiscard]] static base::result<std::unique_ptr<spool_keeper>> make(const spool_options& options);

    [[nodiscard]] usage_spool& spool(unsigned shard) noexcept { return *spools_[shard]; }
    /// What processes that are dead have left and nobody has taken up yet.
    [[nodiscard]] base::result<std::vector<std::unique_ptr<dead_spool>>> claim() const;

    void start(spool_alarms alarms);
    /// Ends the thread, and removes the spools that are applied to their ends. After shards and flusher have ended.
    void stop();

    [[nodiscard]] const spool_budget& budget() const noexcept { return budget_; }

private:
    explicit spool_keeper(const spool_options& options) : options_(options), budget_(options.limit_bytes) {}
    void keep();

    const spool_options options_;
    spool_budget budget_;
    std::vector<std::unique_ptr<usage_spool>> spools_;
    spool_alarms alarms_;
    bool failing_ = false;
    bool nearly_full_ = false;
    std::unique_ptr<database_thread> thread_;  // last: its job uses all of the above
};

}  // namespace concurred::storage
