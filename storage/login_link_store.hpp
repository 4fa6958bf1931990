#pragma once

#include "gateway/base/error.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace concurred::storage {

class postgres_database;
class sqlite_database;

/// How long a link that was over is remembered.
inline constexpr std::int64_t kept_login_links_ms = 86'400'000;

/// One-time links by which an owner signs in where there is no other issuer of sessions. Only the hash of a link's code
/// is stored. Calls block: only the database thread and the commands make them.
class login_link_store {
public:
    virtual ~login_link_store() = default;

    /// Stores a link, and forgets those that were over a day ago.
    [[nodiscard]] virtual base::result<void> insert(std::string_view hash, std::string_view owner, std::int64_t now_ms,
                                                    std::int64_t expires_ms) = 0;

    /// Takes a link: it is of use once.
    /// @returns its owner; nullopt for one that is unknown, used or expired
    [[nodiscard]] virtual base::result<std::optional<std::string>> take(std::string_view hash, std::int64_t now_ms) = 0;

    /// Whether there has ever been a link: used and expired ones count.
    [[nodiscard]] virtual base::result<bool> any() = 0;
};

/// @param database migrated; outlives the store
[[nodiscard]] base::result<std::unique_ptr<login_link_store>> make_sqlite_login_link_store(sqlite_database& database);
[[nodiscard]] std::unique_ptr<login_link_store> make_postgres_login_link_store(postgres_database& database);

}  // namespace concurred::storage
