#pragma once

#include "auth/key_admin.hpp"
#include "gateway/base/config.hpp"
#include "gateway/pipeline/json_fields.hpp"
#include "storage/usage_store.hpp"

#include <chrono>
#include <map>
#include <string>
#include <string_view>

namespace concurred::pipeline {

// Requests for and answers about API keys, as JSON.

/// Length of a key's name, in characters.
inline constexpr std::size_t most_key_name = 100;
inline constexpr std::chrono::seconds default_grace = std::chrono::days{1};

/// POST /api/v1/keys: `name`, `rateLimit`, `tokenLimit`, `concurrency`, `budget`. @param owner of the new key
[[nodiscard]] base::result<storage::api_key_row> read_new_key(std::string_view body, const base::limits_config& limits,
                                                              std::string owner);

/// PATCH /api/v1/keys/:id: at least one of those, or `enabled`. Null takes a limit away, a budget's `day` and `month`
/// one by one.
[[nodiscard]] base::result<storage::api_key_patch> read_key_patch(std::string_view body,
                                                                  const base::limits_config& limits);

/// POST /api/v1/keys/:id/rotate: `graceSeconds`.
[[nodiscard]] base::result<std::chrono::seconds> read_grace(std::string_view body);

/// What was used through each key, by its id.
using key_usage = std::map<std::string, storage::usage_sums, std::less<>>;

/// {"success":true,"data":{"keyId","key","name"}}: the one time a key is shown.
[[nodiscard]] std::string render_new_key(const auth::issued_key& made);
/// The same with "previous":{"keyId","expiresAt"}.
[[nodiscard]] std::string render_rotated_key(const auth::rotated_key& rotated);
/// {"success":true,"data":{...}} with all that may be known about a key: never the key, nor its hash.
[[nodiscard]] std::string render_key(const storage::api_key_row& row);
/// {"success":true,"data":[...]}, with requests and tokens of each key.
[[nodiscard]] std::string render_keys(const std::vector<storage::api_key_row>& rows, const key_usage& used);

}  // namespace concurred::pipeline
