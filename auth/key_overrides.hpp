#pragma once

#include "auth/key_answer.hpp"

#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

namespace concurred::auth {

/// What was done to keys through this gateway, for as long as their source may still tell the old state: a key service
/// has caches of its own. An override replaces what the source says.
///
/// Thread-safe; the mutex is taken when a key is verified or changed, not per request. Holds as many entries as keys
/// were changed in the last quarter of an hour.
class key_overrides {
public:
    /// How long a source may tell the state before a change. A key that was taken away must not come back, and one that
    /// was changed should not change back: that is twice what Unkey promises for its own caches (30 s), and for keys
    /// taken away longer than any cache on the way keeps an entry.
    [[nodiscard]] static std::int64_t lifetime_ms(const storage::api_key_row& row) noexcept;

    /// The key is from now on as in `row`: deleted, disabled, expiring, or otherwise changed.
    void note(const storage::api_key_row& row, std::int64_t now_ms);

    /// The replicas know it now: what they tell counts, so that a later change by another of them is not held back
    /// here.
    void forget(std::string_view key_id);

    /// Corrects what a source has said about a key. Where nothing was changed: nothing.
    void apply(key_answer& answer, std::int64_t now_ms) const;

    [[nodiscard]] std::size_t size() const;

private:
    struct entry {
        storage::api_key_row row;
        std::int64_t until_ms;
    };

    mutable std::mutex mutex_;  // guards entries_
    std::unordered_map<std::string, entry> entries_;
};

}  // namespace concurred::auth
