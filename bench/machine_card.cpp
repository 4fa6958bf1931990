#include "bench/machine_card.hpp"

#include <sys/utsname.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstdlib>
#include <fstream>

namespace concurred::bench {
namespace {

std::string first_line(const char* file) {
    std::ifstream in(file);
    std::string line;
    std::getline(in, line);
    return line;
}

std::string processor() {
    std::ifstream in("/proc/cpuinfo");
    for (std::string line; std::getline(in, line);) {
        if (line.starts_with("model name")) {
            return line.substr(line.find(':') + 2);
        }
    }
    return "unknown";
}

}  // namespace

boost::json::object machine_card() {
    utsname system{};
    ::uname(&system);
    std::array<double, 1> load{};
    static_cast<void>(::getloadavg(load.data(), 1));
    const std::string governor = first_line("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor");
    const auto pages = static_cast<std::uint64_t>(::sysconf(_SC_PHYS_PAGES));
    return {{"processor", processor()},
            {"cores", ::sysconf(_SC_NPROCESSORS_ONLN)},
            {"memory_bytes", pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE))},
            {"kernel", std::string(system.sysname) + " " + system.release},
            {"governor", governor.empty() ? "unknown" : governor},
            {"load_average_at_end", load[0]},
            {"version", CONCURRED_VERSION},
            {"compiler", "g++ " __VERSION__},
#ifdef NDEBUG
            {"build", "optimised"}};
#else
            {"build", "with assertions"}};
#endif
}

}  // namespace concurred::bench
