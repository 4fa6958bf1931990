#include "gateway/base/log_options.hpp"

#include <unistd.h>

namespace concurred::base {

log_level log_level_of(std::string_view name) noexcept {
    return name == "debug"   ? log_level::debug
           : name == "warn"  ? log_level::warn
           : name == "error" ? log_level::error
                             : log_level::info;
}

log_format log_format_of(std::string_view name, int fd) noexcept {
    if (name == "auto") {
        return ::isatty(fd) == 1 ? log_format::text : log_format::json;
    }
    return name == "text" ? log_format::text : log_format::json;
}

}  // namespace concurred::base
