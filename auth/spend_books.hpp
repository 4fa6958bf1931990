#pragma once

#include "gateway/base/clock.hpp"
#include "gateway/base/error.hpp"
#include "storage/usage_store.hpp"

#include <cstdint>
#include <string>

namespace concurred::auth {

/// What a key has spent in the UTC day and month of a moment, as the books have it: all processes that share the
/// database, up to about a second ago.
struct spent_so_far {
    std::int64_t day_nano_usd = 0;
    std::int64_t month_nano_usd = 0;
};

/// Blocks: for the database thread.
[[nodiscard]] base::result<spent_so_far> read_spent(storage::usage_store& store, const std::string& key_id,
                                                    base::wall_time now);

}  // namespace concurred::auth
