#pragma once

#include "auth/key_answer.hpp"
#include "crypto/secret_string.hpp"
#include "gateway/base/error.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace concurred::auth {

// Unkey's API, version 2, as text: requests, and answers that are believed only as far as they make sense.
// Source: identity.md 1 (read in Unkey's source of 2026-08-21).

/// What an answer that is no success means for the caller.
enum class unkey_fault : std::uint8_t {
    not_found,    ///< 404: no such key
    refused,      ///< 401, 403: the root key is wrong, or may not do this: a mistake in the configuration
    limited,      ///< 429: the workspace has asked too much
    unavailable,  ///< it failed, or answered what nobody can understand
    overloaded,   ///< 502, 503, 504: the same, and worth a second try
};

/// The `data` of an answer; valid as long as `body`. @return the fault for any other status, for a body that is not
/// Unkey's envelope, and for a 200 with an error in it.
[[nodiscard]] boost::system::result<std::string_view, unkey_fault> unkey_data(unsigned status,
                                                                              std::string_view body) noexcept;
[[noreturn]] void throw_exception_from_error(unkey_fault fault, const boost::source_location& where);

/// The machine-readable end of an error's `type`, e.g. "unkey/authentication/key_not_found": for logs. Only letters,
/// digits, '_' and '/'; at most 80 octets.
[[nodiscard]] std::string unkey_error_code(std::string_view body);

/// keys.verifyKey. Costs nothing of a key's credits: we ask when our caches want to know, not when the key is used.
[[nodiscard]] crypto::secret_string unkey_verify_body(std::string_view key);

/// What verifyKey says. @param default_rate_limit of keys that say nothing of a limit.
/// @return nothing when the answer contradicts itself or lacks what it must have.
[[nodiscard]] std::optional<key_answer> parse_unkey_verification(std::string_view data,
                                                                 std::uint32_t default_rate_limit, std::int64_t now_ms);

/// keys.createKey. @param row name, owner_id, limits and expiry. @param attempt unique to this call, to find the key by
/// when the answer got lost.
[[nodiscard]] std::string unkey_create_body(std::string_view api_id, const storage::api_key_row& row,
                                            std::string_view attempt);
/// keys.updateKey with all that a key may have changed: Unkey replaces values, it does not merge them.
[[nodiscard]] std::string unkey_update_body(const storage::api_key_row& row);
[[nodiscard]] std::string unkey_id_body(std::string_view key_id);
/// keys.rerollKey. @param grace_ms how long the old key goes on working
[[nodiscard]] std::string unkey_reroll_body(std::string_view key_id, std::int64_t grace_ms);
/// apis.listKeys. @param owner empty: everybody's. @param cursor empty: from the beginning
[[nodiscard]] std::string unkey_list_body(std::string_view api_id, std::string_view owner, std::string_view cursor);

/// Whether Unkey takes it as an externalId: 1 to 128 of letters, digits, '_', '.', '-'.
[[nodiscard]] bool is_unkey_owner(std::string_view owner) noexcept;

struct unkey_new_key {
    std::string key_id;
    crypto::secret_string key;
};
/// What createKey and rerollKey say.
[[nodiscard]] std::optional<unkey_new_key> parse_unkey_new_key(std::string_view data);

/// A key object of getKey and listKeys.
[[nodiscard]] std::optional<storage::api_key_row> parse_unkey_key(std::string_view object,
                                                                  std::uint32_t default_rate_limit);

struct unkey_page {
    std::vector<storage::api_key_row> keys;
    std::string cursor;  ///< empty: it was the last page
};
/// What listKeys says. @param body the whole answer: the cursor stands beside the data
[[nodiscard]] std::optional<unkey_page> parse_unkey_page(std::string_view body, std::uint32_t default_rate_limit);

/// The marker that a key was made with, or empty.
[[nodiscard]] std::string unkey_attempt_of(const storage::api_key_row& row);

}  // namespace concurred::auth
