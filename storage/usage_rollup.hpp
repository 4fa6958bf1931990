#pragma once

#include "gateway/base/usage_record.hpp"
#include "storage/usage_store.hpp"

#include <cstddef>
#include <unordered_map>
#include <utility>
#include <vector>

namespace concurred::storage {

/// Adds up the records of a batch by the key of `usage_daily`, so that each of its rows is written once.
class usage_rollup {
public:
    using sums_of_key = std::pair<const base::usage_record*, usage_sums>;

    /// @param record outlives the rollup, or its `clear`
    void add(const base::usage_record& record);
    void clear() noexcept;

    /// One record of each key, and the sums of all of them, in the order of the keys: neighbours share pages.
    [[nodiscard]] const std::vector<sums_of_key>& sorted();

private:
    struct key_hash {
        std::size_t operator()(const base::usage_record* r) const noexcept;
    };
    struct key_equal {
        bool operator()(const base::usage_record* a, const base::usage_record* b) const noexcept;
    };

    std::vector<sums_of_key> groups_;
    std::unordered_map<const base::usage_record*, std::size_t, key_hash, key_equal> places_;  // in groups_
    std::size_t last_ = 0;  // the group of the last record: most have that of the one before
};

}  // namespace concurred::storage
