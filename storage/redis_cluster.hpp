#pragma once

#include "storage/redis_connection.hpp"
#include "storage/redis_slots.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace concurred::storage {

/// Connections to the masters of a Redis Cluster: one to each, made as they become known. Follows MOVED and ASK, waits
/// a moment on TRYAGAIN and CLUSTERDOWN; all of it within the deadline of one command. Belongs to one shard.
class redis_cluster {
public:
    redis_cluster(base::executor ex, const redis_settings& settings, redis_counters& counters);

    /// Takes a reply of CLUSTER SLOTS that `from` gave.
    void learn(const redis_value& slots, const redis_address& from);
    /// Ends everything.
    void stop();

    /// Sends an encoded command to the node that serves the slot, to another when it has moved. @param by when it fails
    /// at the latest, over all nodes, if that is before `command_timeout` is over
    [[nodiscard]] base::task<redis_result> call(std::string command, std::uint16_t slot,
                                                base::steady_time by = base::steady_time::max());
    /// To any node: for what has no key.
    [[nodiscard]] base::task<redis_result> call_any(std::string command);

    [[nodiscard]] bool up() const noexcept;
    /// After `stop`: nothing of it runs any more.
    [[nodiscard]] bool at_rest() const noexcept;
    /// Where a node answers, for those who need a connection of their own; null when none does.
    [[nodiscard]] const redis_address* any_address() const noexcept;
    [[nodiscard]] const redis_slot_map& slots() const noexcept { return slots_; }

private:
    [[nodiscard]] redis_connection& node(const redis_address& at);
    [[nodiscard]] redis_connection* any_up() const noexcept;
    [[nodiscard]] base::task<> pause(std::chrono::milliseconds time);
    [[nodiscard]] base::task<base::result<redis_address>> stay(redis_address at);
    void refresh();
    [[nodiscard]] base::task<> ask_for_slots();

    base::executor executor_;
    const redis_settings& settings_;
    redis_counters& counters_;
    base::task_group tasks_;
    redis_slot_map slots_;
    std::map<redis_address, std::unique_ptr<redis_connection>> nodes_;
    std::vector<std::unique_ptr<redis_connection>> leaving_;  // until nothing of them runs any more
    base::steady_time refreshed_;
    bool refreshing_ = false;
    bool stopped_ = false;
};

}  // namespace concurred::storage
