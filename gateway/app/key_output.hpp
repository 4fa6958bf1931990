#pragma once

#include "gateway/base/clock.hpp"
#include "storage/api_key_store.hpp"

#include <span>
#include <string>

namespace concurred::app {

/// What a key is at `now`: "active", "disabled", "expired" or "revoked".
[[nodiscard]] std::string key_state_text(const storage::api_key_row& row, base::wall_time now);

/// {"keyId","name","start","owner","rateLimit","enabled","createdAt","expiresAt","lastUsedAt","revokedAt"}; times are
/// RFC 3339 or null.
[[nodiscard]] std::string key_json(const storage::api_key_row& row);

/// A JSON array of `key_json`, one key a line.
[[nodiscard]] std::string keys_json(std::span<const storage::api_key_row> rows);

/// A line for each key. Times are UTC.
[[nodiscard]] std::string keys_table(std::span<const storage::api_key_row> rows, base::wall_time now);

/// One key, a line for each of its values.
[[nodiscard]] std::string key_text(const storage::api_key_row& row, base::wall_time now);

}  // namespace concurred::app
