#pragma once

#include "storage/api_key_store.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace concurred::storage {

class postgres_database;
class sqlite_database;

/// The table's name, which sealed keys are bound to.
inline constexpr std::string_view provider_key_table = "provider_key";

/// A provider's key that an owner has brought. Times are Unix milliseconds.
struct provider_key_row {
    std::string id;  ///< "pk_" and random characters
    std::string owner_id;
    std::string provider;  ///< "openai", ...
    std::string slug;      ///< the owner's name for it; unique among the owner's keys
    std::string display_name;
    std::string last_four;    ///< of the key; empty when the key is short
    std::string sealed;       ///< the key, sealed for this row; empty once deleted
    std::string sealed_with;  ///< name of the master key
    std::int64_t created_ms = 0;
    std::optional<std::int64_t> deleted_ms{};
    std::uint64_t change_number = 0;  ///< set by the store: grows with every change of any row
};

enum class provider_key_outcome {
    inserted,
    slug_taken,  ///< the owner has a key of this slug
    owner_full,  ///< the owner has as many keys as it may have
};

/// A secret whose text is known, sealed with a master key: by it a start notices a wrong master key.
struct canary_row {
    std::string sealed_with;
    std::string sealed;
};

/// Provider keys of owners. Calls block: only the database thread and the commands make them. What is stored is sealed
/// before it comes here. "Not found" is an answer, not an error.
class provider_key_store {
public:
    virtual ~provider_key_store() = default;

    [[nodiscard]] virtual base::result<provider_key_outcome> insert(const provider_key_row& row,
                                                                    std::uint32_t max_keys) = 0;

    /// @returns keys in the order of their creation
    [[nodiscard]] virtual base::result<std::vector<provider_key_row>> list(owner_scope scope) = 0;

    /// @returns nullopt for an unknown, foreign or deleted one
    [[nodiscard]] virtual base::result<std::optional<provider_key_row>> find(owner_scope scope,
                                                                             std::string_view id) = 0;

    /// Deletes a key for good: what was sealed is gone at once; the row stays for those who follow the changes.
    /// @returns the key as it was; nullopt for an unknown, foreign or already deleted one
    [[nodiscard]] virtual base::result<std::optional<provider_key_row>> remove(owner_scope scope, std::string_view id,
                                                                               std::int64_t now_ms) = 0;

    /// Rows inserted, changed or deleted after change number `cursor`, in the order of change.
    /// @param limit most rows to return; that many may mean that there are more
    [[nodiscard]] virtual base::result<std::vector<provider_key_row>> changed_since(std::uint64_t cursor,
                                                                                    std::uint32_t limit = 1'000) = 0;

    /// Keys that are not sealed with the master key of that name, up to `limit`.
    [[nodiscard]] virtual base::result<std::vector<provider_key_row>> sealed_otherwise(std::string_view key_id,
                                                                                       std::uint32_t limit = 100) = 0;

    /// Replaces what is sealed, unless the row was changed since it was read.
    /// @returns false when it was
    [[nodiscard]] virtual base::result<bool> reseal(const provider_key_row& seen, std::string_view sealed,
                                                    std::string_view sealed_with) = 0;

    [[nodiscard]] virtual base::result<std::vector<canary_row>> canaries() = 0;
    /// Keeps a canary, in the place of one of the same master key.
    [[nodiscard]] virtual base::result<void> put_canary(const canary_row& row) = 0;
    /// Drops the canaries of all other master keys.
    [[nodiscard]] virtual base::result<void> keep_only_canary(std::string_view key_id) = 0;
};

/// @param database migrated; outlives the store
[[nodiscard]] base::result<std::unique_ptr<provider_key_store>> make_sqlite_provider_key_store(
    sqlite_database& database);
[[nodiscard]] std::unique_ptr<provider_key_store> make_postgres_provider_key_store(postgres_database& database);

}  // namespace concurred::storage
