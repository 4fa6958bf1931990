#pragma once

#include <cstdint>
#include <string_view>

namespace concurred::base {

/// How much an event matters. A logger writes those of its own level and above.
enum class log_level : std::uint8_t { debug, info, warn, error };

/// JSON for machines, text for people at a terminal.
enum class log_format : std::uint8_t { json, text };

/// The level that the configuration names; `info` for a name it does not have.
[[nodiscard]] log_level log_level_of(std::string_view name) noexcept;

/// The format that the configuration names.
/// \param name  "json", "text" or "auto": text where `fd` is a terminal, otherwise JSON
/// \param fd    where the lines go: 2 for events, 1 for the access log
[[nodiscard]] log_format log_format_of(std::string_view name, int fd) noexcept;

}  // namespace concurred::base
