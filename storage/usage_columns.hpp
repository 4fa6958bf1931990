#pragma once

#include "gateway/base/usage_record.hpp"
#include "storage/usage_store.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <tuple>

namespace concurred::storage {

// What all stores of usage have in common.

struct sum_column {
    const char* name;
    std::int64_t usage_sums::*member;
};

/// Columns of `usage_daily` behind its key.
inline constexpr std::array<sum_column, 11> sum_columns{{
    {"requests", &usage_sums::requests},
    {"failed", &usage_sums::failed},
    {"errors", &usage_sums::errors},
    {"prompt_tokens", &usage_sums::prompt_tokens},
    {"cache_read_tokens", &usage_sums::cache_read_tokens},
    {"cache_write_tokens", &usage_sums::cache_write_tokens},
    {"completion_tokens", &usage_sums::completion_tokens},
    {"reasoning_tokens", &usage_sums::reasoning_tokens},
    {"cost_nano_usd", &usage_sums::cost_nano_usd},
    {"unpriced_requests", &usage_sums::unpriced_requests},
    {"estimated_requests", &usage_sums::estimated_requests},
}};

/// Sums stop here instead of overflowing: an overflow would block every later batch.
inline constexpr std::int64_t largest_sum = 4'611'686'018'427'387'904;

/// The key of `usage_daily`. Batches are added in its order: neighbours share pages, and stores with row locks cannot
/// deadlock.
inline auto rollup_key(const base::usage_record& r) noexcept {
    return std::tuple(r.owner.view(), r.day, r.key_id.view(), r.model.view(), r.provider.view(), r.byok);
}

/// The columns of `usage_daily` that a report reads, after day, model and what it groups by.
[[nodiscard]] inline const char* column_of(usage_group group) noexcept {
    switch (group) {
        case usage_group::model:
            return "model";
        case usage_group::key:
            return "key_id";
        case usage_group::provider:
            return "provider";
        case usage_group::none:
            break;
    }
    return "''";
}

}  // namespace concurred::storage
