#include "storage/login_link_store.hpp"
#include "storage/sqlite_rows.hpp"

#include <array>
#include <cstddef>
#include <utility>

namespace concurred::storage {

namespace {

enum statement_id : std::size_t { forget_old, insert_link, take_link, any_link, statement_count };

// In the order of statement_id. The newest stays, so that there has been one.
constexpr std::array<std::string_view, statement_count> statement_texts{{
    "DELETE FROM login_link WHERE expires_ms < ?1 AND hash NOT IN "
    "(SELECT hash FROM login_link ORDER BY expires_ms DESC LIMIT 1)",
    "INSERT INTO login_link (hash, owner_id, expires_ms) VALUES (?1, ?2, ?3)",
    "UPDATE login_link SET used_ms = ?2 WHERE hash = ?1 AND used_ms IS NULL AND expires_ms > ?2 RETURNING owner_id",
    "SELECT 1 FROM login_link LIMIT 1",
}};

class sqlite_login_link_store final : public login_link_store {
public:
    explicit sqlite_login_link_store(sqlite_database& database) noexcept : database_(database) {}

    base::result<void> prepare() { return prepare_all(database_, statement_texts, {}, statements_); }

    base::result<void> insert(std::string_view hash, std::string_view owner, std::int64_t now_ms,
                              std::int64_t expires_ms) override {
        {
            sqlite_query forget(statements_[forget_old]);
            forget.bind(now_ms - kept_login_links_ms);
            if (auto done = forget.run(); !done) {
                return done;
            }
        }
        sqlite_query query(statements_[insert_link]);
        query.bind(hash).bind(owner).bind(expires_ms);
        return query.run();
    }

    base::result<std::optional<std::string>> take(std::string_view hash, std::int64_t now_ms) override {
        sqlite_query query(statements_[take_link]);
        query.bind(hash).bind(now_ms);
        auto owner = first_row(query, [](const sqlite_query& row) { return std::string(row.text(0)); });
        if (owner && *owner) {
            if (auto done = query.run(); !done) {
                return std::move(done).error();
            }
        }
        return owner;
    }

    base::result<bool> any() override {
        sqlite_query query(statements_[any_link]);
        return query.next();
    }

private:
    sqlite_database& database_;
    std::array<sqlite_statement, statement_count> statements_;
};

}  // namespace

base::result<std::unique_ptr<login_link_store>> make_sqlite_login_link_store(sqlite_database& database) {
    auto store = std::make_unique<sqlite_login_link_store>(database);
    if (auto prepared = store->prepare(); !prepared) {
        return std::move(prepared).error();
    }
    return std::unique_ptr<login_link_store>(std::move(store));
}

}  // namespace concurred::storage
