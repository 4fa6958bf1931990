#pragma once

#include "gateway/base/error.hpp"

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace concurred::storage {

class sqlite_database;

/// What a key may use besides requests; 0: no such limit.
struct key_spend_limits {
    std::uint64_t tokens_per_minute = 0;
    std::uint32_t concurrency = 0;           ///< requests under way at a time
    std::int64_t budget_day_nano_usd = 0;    ///< in a UTC day
    std::int64_t budget_month_nano_usd = 0;  ///< in a UTC month

    friend bool operator==(const key_spend_limits&, const key_spend_limits&) = default;
};

/// A key as it is stored. Times are Unix milliseconds. The key itself is never stored.
struct api_key_row {
    std::string id;     ///< "key_" and random characters
    std::string hash;   ///< base64(SHA-256(whole key)); unique among all keys there ever were
    std::string start;  ///< "ck_" and four characters, to recognise it by
    std::string name;
    std::string owner_id;
    bool enabled = true;
    std::optional<std::int64_t> expires_ms{};  ///< nullopt: never
    std::uint32_t rate_limit = 60;             ///< requests per window, at least 1
    std::int64_t rate_window_ms = 60'000;      ///< at least 1
    key_spend_limits spend{};
    std::string meta = "{}";         ///< JSON object
    std::string permissions = "[]";  ///< JSON array of strings
    std::int64_t created_ms = 0;
    std::int64_t updated_ms = 0;
    std::optional<std::int64_t> deleted_ms{};    ///< set: revoked, for good
    std::optional<std::int64_t> last_used_ms{};  ///< up to 5 minutes old
    std::uint64_t change_number = 0;             ///< set by the store: grows with every change of any key
};

/// What to change of a key; nullopt: leave it.
struct api_key_patch {
    std::optional<std::string> name{};
    std::optional<std::uint32_t> rate_limit{};
    std::optional<bool> enabled{};
    std::optional<std::uint64_t> tokens_per_minute{};  ///< 0: no limit any more; so are the next three
    std::optional<std::uint32_t> concurrency{};
    std::optional<std::int64_t> budget_day_nano_usd{};
    std::optional<std::int64_t> budget_month_nano_usd{};
    std::optional<std::optional<std::int64_t>> expires_ms{};  ///< inner nullopt: it no longer expires

    /// Changes `row`, but not its times.
    /// @returns whether anything is different now
    bool apply_to(api_key_row& row) const;
};

/// Whose keys a call may see. nullopt: everybody's, for the operator's commands. A key of another owner is treated in
/// every way as one that does not exist.
using owner_scope = std::optional<std::string_view>;

enum class insert_outcome {
    inserted,
    owner_full,  ///< the owner has as many keys as it may have; nothing was stored
    duplicate,   ///< the id or the hash is taken; nothing was stored
};

struct api_key_list_options {
    std::uint32_t limit = std::numeric_limits<std::uint32_t>::max();
    std::uint32_t offset = 0;
    bool include_revoked = false;
};

/// A key and the time of its last use.
struct key_use {
    std::string key_id;
    std::int64_t used_ms = 0;
};

/// What became of a rotation.
struct rotation {
    insert_outcome outcome = insert_outcome::inserted;  ///< of the new key
    std::optional<api_key_row> old{};                   ///< nullopt: no such key; nothing was stored
    api_key_row made{};
};

/// `touch_last_used` moves the time of a key only by this much or more, so that use alone causes few writes.
inline constexpr std::int64_t last_used_step_ms = 5 * 60 * 1'000;

/// Keys of the embedded store. Calls block: only the database thread and the commands make them. "Not found" is an
/// answer (nullopt), not an error; errors mean that the database failed, and their text is for the operator.
class api_key_store {
public:
    virtual ~api_key_store() = default;

    /// Stores a new key.
    /// @param row `change_number` is ignored
    /// @param max_keys keys an owner may have, revoked and expired ones not counted; counted in the same transaction
    [[nodiscard]] virtual base::result<insert_outcome> insert(
        const api_key_row& row, std::uint32_t max_keys = std::numeric_limits<std::uint32_t>::max()) = 0;

    /// @returns the key, disabled and expired ones too; nullopt for an unknown or revoked one
    [[nodiscard]] virtual base::result<std::optional<api_key_row>> find_by_hash(std::string_view hash) = 0;

    /// @returns the key; nullopt for an unknown, foreign or revoked one
    [[nodiscard]] virtual base::result<std::optional<api_key_row>> find_by_id(owner_scope scope,
                                                                              std::string_view id) = 0;

    /// @returns keys in the order of their creation
    [[nodiscard]] virtual base::result<std::vector<api_key_row>> list(owner_scope scope,
                                                                      const api_key_list_options& options = {}) = 0;

    /// Changes a key. A patch that changes nothing writes nothing.
    /// @returns the key after the change; nullopt for an unknown, foreign or revoked one
    [[nodiscard]] virtual base::result<std::optional<api_key_row>> update(owner_scope scope, std::string_view id,
                                                                          const api_key_patch& patch,
                                                                          std::int64_t now_ms) = 0;

    /// Revokes a key for good. The row stays, so that usage keeps its name and the hash cannot come back.
    /// @returns the key as it was revoked; nullopt for an unknown, foreign or already revoked one
    [[nodiscard]] virtual base::result<std::optional<api_key_row>> revoke(owner_scope scope, std::string_view id,
                                                                          std::int64_t now_ms) = 0;

    /// Puts a new key in the place of another, with all that is set for it, in one transaction.
    /// @param made its id, hash and start
    /// @param grace_ms how long the old key works on, though not beyond its own expiry; 0: it is revoked
    /// @param max_keys as in `insert`, the old key counted while it works
    [[nodiscard]] virtual base::result<rotation> rotate(owner_scope scope, std::string_view id, const api_key_row& made,
                                                        std::int64_t grace_ms, std::uint32_t max_keys,
                                                        std::int64_t now_ms) = 0;

    /// @returns the number of keys of `owner`, revoked ones not counted
    [[nodiscard]] virtual base::result<std::uint32_t> count(std::string_view owner) = 0;

    /// Keys inserted, changed or revoked after change number `cursor`, in the order of change; revoked ones have
    /// `deleted_ms`. The last row's `change_number` is the next cursor.
    /// @param limit most rows to return; that many may mean that there are more
    [[nodiscard]] virtual base::result<std::vector<api_key_row>> changed_since(std::uint64_t cursor,
                                                                               std::uint32_t limit = 1'000) = 0;

    /// @returns the number of the last change; 0 if there was none
    [[nodiscard]] virtual base::result<std::uint64_t> last_change() = 0;

    /// Notes when keys were used: only forward, in steps of `last_used_step_ms`; unknown ids are ignored. Not a change.
    [[nodiscard]] virtual base::result<void> touch_last_used(std::span<const key_use> uses) = 0;
};

/// @param database migrated; outlives the store
[[nodiscard]] base::result<std::unique_ptr<api_key_store>> make_sqlite_api_key_store(sqlite_database& database);

}  // namespace concurred::storage
