#include "auth/key_overrides.hpp"

namespace concurred::auth {

namespace {

constexpr std::int64_t taken_away_ms = 15 * 60 * 1'000;
constexpr std::int64_t changed_ms = 60 * 1'000;

}  // namespace

std::int64_t key_overrides::lifetime_ms(const storage::api_key_row& row) noexcept {
    return row.deleted_ms || !row.enabled || row.expires_ms ? taken_away_ms : changed_ms;
}

void key_overrides::note(const storage::api_key_row& row, std::int64_t now_ms) {
    const std::lock_guard lock(mutex_);
    std::erase_if(entries_, [now_ms](const auto& one) { return now_ms >= one.second.until_ms; });
    entries_.insert_or_assign(row.id, entry{row, now_ms + lifetime_ms(row)});
}

void key_overrides::forget(std::string_view key_id) {
    const std::lock_guard lock(mutex_);
    entries_.erase(std::string(key_id));
}

void key_overrides::apply(key_answer& answer, std::int64_t now_ms) const {
    if (answer.row.id.empty()) {
        return;
    }
    const std::lock_guard lock(mutex_);
    const auto found = entries_.find(answer.row.id);
    if (found != entries_.end() && now_ms < found->second.until_ms) {
        answer.row = found->second.row;
        answer.status = status_of(answer.row, now_ms);
    }
}

std::size_t key_overrides::size() const {
    const std::lock_guard lock(mutex_);
    return entries_.size();
}

}  // namespace concurred::auth
