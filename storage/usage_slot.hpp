#pragma once

#include "gateway/base/usage_record.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace concurred::storage {

// The place of a record in SQLite's table of single requests: 42 bits of the milliseconds that its id begins with, then
// 20 bits of a hash of the rest. Rows are added at one end of the table and removed at the other, and the table needs
// no index of the ids. Of two ids with the same place the second lies behind the first.

/// The first place of all that were admitted at `unix_ms`, or later. Times outside of 1970 ... 2109 share the ends.
[[nodiscard]] inline std::int64_t first_usage_slot(std::int64_t unix_ms) noexcept {
    constexpr std::int64_t largest_ms = (std::int64_t{1} << 42) - 1;
    return std::clamp<std::int64_t>(unix_ms, 0, largest_ms) << 20;
}

[[nodiscard]] inline std::int64_t usage_slot(const base::event_id& id) noexcept {
    std::int64_t ms = 0;
    for (std::size_t i = 0; i < 6; ++i) {
        ms = ms << 8 | id[i];
    }
    std::uint64_t rest = 0;
    std::memcpy(&rest, id.data() + 8, sizeof(rest));
    rest *= 0x9E3779B97F4A7C15;  // the upper bits depend on all of it
    return first_usage_slot(ms) | static_cast<std::int64_t>(rest >> 44);
}

}  // namespace concurred::storage
