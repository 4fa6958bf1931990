#include "gateway/base/process_info.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <ctime>

namespace concurred::base {

namespace {

std::uint64_t count_open_fds() {
    // Linux 6.2 and later say the number as the size of the folder.
    struct stat info {};
    if (::stat("/proc/self/fd", &info) == 0 && info.st_size > 0) {
        return static_cast<std::uint64_t>(info.st_size);
    }
    DIR* const folder = ::opendir("/proc/self/fd");
    if (folder == nullptr) {
        return 0;
    }
    std::uint64_t count = 0;
    while (const dirent* entry = ::readdir(folder)) {
        count += entry->d_name[0] != '.' ? 1 : 0;
    }
    ::closedir(folder);
    return count - 1;  // the folder itself was open
}

/// Fills the sizes from /proc/self/statm, whose first two numbers are pages.
void read_memory(process_usage& usage) {
    const int fd = ::open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return;
    }
    std::array<char, 128> text;
    const auto size = ::read(fd, text.data(), text.size());
    ::close(fd);
    if (size <= 0) {
        return;
    }
    const char* const end = text.data() + size;
    std::uint64_t all = 0;
    std::uint64_t resident = 0;
    const auto first = std::from_chars(text.data(), end, all);
    if (first.ec == std::errc() && first.ptr != end &&
        std::from_chars(first.ptr + 1, end, resident).ec == std::errc()) {
        const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
        usage.virtual_bytes = all * page;
        usage.resident_bytes = resident * page;
    }
}

}  // namespace

process_usage read_process_usage() {
    process_usage usage;
    read_memory(usage);
    usage.open_fds = count_open_fds();
    rlimit files{};
    if (::getrlimit(RLIMIT_NOFILE, &files) == 0) {
        usage.max_fds = files.rlim_cur;
    }
    timespec cpu{};
    if (::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu) == 0) {
        usage.cpu_time = std::chrono::seconds(cpu.tv_sec) + std::chrono::nanoseconds(cpu.tv_nsec);
    }
    return usage;
}

}  // namespace concurred::base
