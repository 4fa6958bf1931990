#include "storage/usage_rollup.hpp"

#include "storage/usage_columns.hpp"

#include <algorithm>
#include <functional>
#include <string_view>

namespace concurred::storage {

std::size_t usage_rollup::key_hash::operator()(const base::usage_record* r) const noexcept {
    std::size_t hash = static_cast<std::size_t>(r->day) * 2 + (r->byok ? 1 : 0);
    for (const std::string_view text : {r->owner.view(), r->key_id.view(), r->model.view(), r->provider.view()}) {
        hash = hash * 1'099'511'628'211U + std::hash<std::string_view>()(text);
    }
    return hash;
}

bool usage_rollup::key_equal::operator()(const base::usage_record* a, const base::usage_record* b) const noexcept {
    return rollup_key(*a) == rollup_key(*b);
}

void usage_rollup::add(const base::usage_record& record) {
    if (groups_.empty() || !key_equal()(groups_[last_].first, &record)) {
        const auto [found, is_new] = places_.try_emplace(&record, groups_.size());
        last_ = found->second;
        if (is_new) {
            groups_.emplace_back(&record, usage_sums());
        }
    }
    groups_[last_].second += sums_of(record);
}

void usage_rollup::clear() noexcept {
    groups_.clear();
    places_.clear();
    last_ = 0;
}

const std::vector<usage_rollup::sums_of_key>& usage_rollup::sorted() {
    std::sort(groups_.begin(), groups_.end(),
              [](const auto& a, const auto& b) { return rollup_key(*a.first) < rollup_key(*b.first); });
    places_.clear();  // they are no longer the places
    return groups_;
}

}  // namespace concurred::storage
