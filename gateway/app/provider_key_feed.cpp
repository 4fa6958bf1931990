#include "gateway/app/provider_key_feed.hpp"

#include <utility>

namespace concurred::app {

namespace {

constexpr std::uint32_t page = 1'000;

struct change {
    std::shared_ptr<const upstream::owner_key> key;
    bool deleted = false;
};

change change_of(storage::provider_key_row row) {
    change made;
    made.deleted = row.deleted_ms.has_value();
    made.key = std::make_shared<const upstream::owner_key>(
        upstream::owner_key{std::move(row.id), std::move(row.owner_id), std::move(row.provider), std::move(row.slug),
                            std::move(row.sealed), row.created_ms});
    return made;
}

void take_over(upstream::owner_keys& table, const std::vector<change>& changes) {
    for (const change& one : changes) {
        if (one.deleted) {
            table.remove(one.key->owner, one.key->id);
        } else {
            table.put(one.key);
        }
    }
}

}  // namespace

base::result<void> provider_key_feed::poll() {
    for (bool more = true; more;) {
        auto rows = store_.changed_since(cursor_, page);
        if (!rows) {
            return std::move(rows).error();
        }
        more = rows->size() == page;
        if (rows->empty()) {
            break;
        }
        cursor_ = rows->back().change_number;
        // One list for all shards: they only read it.
        const auto changes = std::make_shared<std::vector<change>>();
        changes->reserve(rows->size());
        for (storage::provider_key_row& row : *rows) {
            changes->push_back(change_of(std::move(row)));
        }
        for (const auto& one : shards_) {
            one->post([&s = *one, changes] { take_over(s.owner_keys(), *changes); });
        }
    }
    return {};
}

}  // namespace concurred::app
