#include "storage/last_used.hpp"

#include <algorithm>
#include <utility>

namespace concurred::storage {

void last_used_filter::note(std::string_view key_id, std::int64_t used_ms) {
    if (key_id.empty()) {
        return;
    }
    auto found = keys_.find(key_id);
    if (found == keys_.end()) {
        if (keys_.size() >= max_keys_ && pending_.empty()) {
            keys_.clear();
        }
        found = keys_.emplace(key_id, state{used_ms - last_used_step_ms, used_ms, false}).first;
    }
    state& key = found->second;
    key.used_ms = std::max(key.used_ms, used_ms);
    if (!key.pending && key.used_ms - key.written_ms >= last_used_step_ms) {
        key.pending = true;
        pending_.push_back(found->first);
    }
}

std::vector<key_use> last_used_filter::take() {
    std::vector<key_use> uses;
    uses.reserve(pending_.size());
    for (std::string& id : pending_) {
        if (const auto found = keys_.find(id); found != keys_.end()) {
            found->second.pending = false;
            found->second.written_ms = found->second.used_ms;
            uses.push_back({std::move(id), found->second.used_ms});
        }
    }
    pending_.clear();
    return uses;
}

}  // namespace concurred::storage
