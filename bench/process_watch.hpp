#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <optional>

namespace concurred::bench {

/// What a process and all it has started use, as /proc tells it.
struct process_load {
    std::chrono::nanoseconds cpu{0};  ///< user and system time of all threads
    std::uint64_t rss_bytes = 0;      ///< resident memory, pages shared between the processes counted for each
};

/// Of `root` and its descendants. \returns nothing when `root` is gone
[[nodiscard]] std::optional<process_load> read_process_load(pid_t root);

}  // namespace concurred::bench
