#include "bench/process_watch.hpp"

#include <unistd.h>

#include <ctime>
#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>
#include <vector>

namespace concurred::bench {
namespace {

namespace fs = std::filesystem;

/// Adds what one process uses. \returns whether it is there
bool add(process_load& sum, pid_t process, std::vector<pid_t>& children) {
    // The kernel's clock of a process counts ended threads too, and nanoseconds; /proc has ticks of 10 ms.
    clockid_t clock{};
    timespec spent{};
    if (::clock_getcpuclockid(process, &clock) != 0 || ::clock_gettime(clock, &spent) != 0) {
        return false;
    }
    sum.cpu += std::chrono::seconds{spent.tv_sec} + std::chrono::nanoseconds{spent.tv_nsec};
    const fs::path folder = "/proc/" + std::to_string(process);
    std::error_code failure;
    for (const auto& task : fs::directory_iterator(folder / "task", failure)) {
        std::ifstream file(task.path() / "children");
        for (pid_t child = 0; file >> child;) {
            children.push_back(child);
        }
    }
    std::ifstream file(folder / "statm");
    std::uint64_t all = 0;
    std::uint64_t resident = 0;
    file >> all >> resident;
    sum.rss_bytes += resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
    return true;
}

}  // namespace

std::optional<process_load> read_process_load(pid_t root) {
    process_load sum;
    std::vector<pid_t> waiting;
    if (!add(sum, root, waiting)) {
        return std::nullopt;
    }
    while (!waiting.empty()) {
        const pid_t next = waiting.back();
        waiting.pop_back();
        static_cast<void>(add(sum, next, waiting));
    }
    return sum;
}

}  // namespace concurred::bench
