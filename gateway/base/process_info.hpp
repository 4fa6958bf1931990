#pragma once

#include "gateway/base/clock.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace concurred::base {

/// What the system knows about this process.
struct process_usage {
    std::uint64_t resident_bytes = 0;
    std::uint64_t virtual_bytes = 0;
    std::uint64_t open_fds = 0;
    std::uint64_t max_fds = 0;
    std::chrono::nanoseconds cpu_time{0};  ///< of all threads, user and system
};

/// Reads it from /proc; what cannot be read stays 0. Counting descriptors takes some 0.3 µs for each on kernels before
/// 6.2: call it for a scrape, not more often.
[[nodiscard]] process_usage read_process_usage();

/// The part of the metrics page that no shard counts.
struct process_info {
    std::string version;
    std::string commit;
    wall_time started{};  ///< read once, at start-up
    process_usage usage;
    bool draining = false;
    std::uint64_t log_lines_dropped = 0;         ///< `log_writer::dropped()`
    std::optional<bool> last_reload_successful;  ///< unset before the first reload
    wall_time last_reload_success{};             ///< the start counts as one
};

}  // namespace concurred::base
