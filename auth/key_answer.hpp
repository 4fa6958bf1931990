#pragma once

#include "storage/api_key_store.hpp"

#include <cstdint>

namespace concurred::auth {

/// What becomes of a request with a key.
enum class key_status : std::uint8_t {
    valid,
    not_found,  ///< unknown or deleted
    disabled,
    expired,
    forbidden,       ///< the key exists but may not be used here
    rate_limited,    ///< the key service itself counts, and says no
    usage_exceeded,  ///< the key has no credits left
};

/// What a source says about a key.
struct key_answer {
    key_status status = key_status::not_found;
    storage::api_key_row row{};    ///< `id` is empty when the key is not known; `hash` and `start` may be
    std::int64_t verified_ms = 0;  ///< when the source of truth was asked, Unix milliseconds
    bool stale = false;            ///< an old answer, because the source of truth cannot be asked
};

/// What the row alone says.
[[nodiscard]] inline key_status status_of(const storage::api_key_row& row, std::int64_t now_ms) noexcept {
    if (row.deleted_ms) {
        return key_status::not_found;
    }
    if (!row.enabled) {
        return key_status::disabled;
    }
    return row.expires_ms && now_ms >= *row.expires_ms ? key_status::expired : key_status::valid;
}

}  // namespace concurred::auth
