#include "storage/key_rows.hpp"
#include "storage/provider_key_steps.hpp"
#include "storage/sqlite_rows.hpp"

#include <array>
#include <utility>

namespace concurred::storage {

namespace {

enum statement_id : std::size_t {
    insert_row,
    list_all,
    list_of_owner,
    by_id,
    by_id_of_owner,
    by_slug,
    count_rows,
    save_row,
    changed,
    otherwise,
    draw_change,
    all_canaries,
    store_canary,
    drop_canaries,
    statement_count,
};

// In the order of statement_id; @ stands for provider_key_columns.
constexpr std::array<std::string_view, statement_count> statement_texts{{
    "INSERT INTO provider_key (@) VALUES (?,?,?,?,?,?,?,?,?,?,?)",
    "SELECT @ FROM provider_key WHERE deleted_ms IS NULL ORDER BY created_ms, id",
    "SELECT @ FROM provider_key WHERE deleted_ms IS NULL AND owner_id = ?1 ORDER BY created_ms, id",
    "SELECT @ FROM provider_key WHERE id = ?1 AND deleted_ms IS NULL",
    "SELECT @ FROM provider_key WHERE id = ?1 AND deleted_ms IS NULL AND owner_id = ?2",
    "SELECT @ FROM provider_key WHERE owner_id = ?1 AND slug = ?2 AND deleted_ms IS NULL",
    "SELECT count(*) FROM provider_key WHERE owner_id = ?1 AND deleted_ms IS NULL",
    "UPDATE provider_key SET sealed = ?2, sealed_with = ?3, deleted_ms = ?4, change_number = ?5 "
    "WHERE id = ?1 AND change_number = ?6 RETURNING 1",
    "SELECT @ FROM provider_key WHERE change_number > ?1 ORDER BY change_number LIMIT ?2",
    "SELECT @ FROM provider_key WHERE deleted_ms IS NULL AND sealed_with <> ?1 ORDER BY change_number LIMIT ?2",
    "UPDATE change_counter SET value = value + 1 RETURNING value",
    "SELECT sealed_with, sealed FROM secret_canary ORDER BY sealed_with",
    "INSERT INTO secret_canary (sealed_with, sealed) VALUES (?1, ?2) "
    "ON CONFLICT (sealed_with) DO UPDATE SET sealed = excluded.sealed",
    "DELETE FROM secret_canary WHERE sealed_with <> ?1",
}};

provider_key_row read_row(const sqlite_query& query) {
    return read_provider_key(query);
}

class sqlite_provider_key_store final : public provider_key_steps<sqlite_database, sqlite_transaction> {
public:
    explicit sqlite_provider_key_store(sqlite_database& database) noexcept : provider_key_steps(database) {}

    base::result<void> prepare() { return prepare_all(database(), statement_texts, provider_key_columns, statements_); }

    base::result<std::vector<provider_key_row>> list(owner_scope scope) override {
        sqlite_query query(statements_[scope ? list_of_owner : list_all]);
        if (scope) {
            query.bind(*scope);
        }
        return all_rows(query, read_row);
    }

    base::result<std::optional<provider_key_row>> find(owner_scope scope, std::string_view id) override {
        sqlite_query query(statements_[scope ? by_id_of_owner : by_id]);
        query.bind(id);
        if (scope) {
            query.bind(*scope);
        }
        return first_row(query, read_row);
    }

    base::result<std::vector<provider_key_row>> changed_since(std::uint64_t cursor, std::uint32_t limit) override {
        sqlite_query query(statements_[changed]);
        query.bind(cursor).bind(limit);
        return all_rows(query, read_row);
    }

    base::result<std::vector<provider_key_row>> sealed_otherwise(std::string_view key_id,
                                                                 std::uint32_t limit) override {
        sqlite_query query(statements_[otherwise]);
        query.bind(key_id).bind(limit);
        return all_rows(query, read_row);
    }

    base::result<std::vector<canary_row>> canaries() override {
        sqlite_query query(statements_[all_canaries]);
        return all_rows(query, read_canary<sqlite_query>);
    }

    base::result<void> put_canary(const canary_row& row) override {
        sqlite_query query(statements_[store_canary]);
        query.bind(row.sealed_with).bind(row.sealed);
        return query.run();
    }

    base::result<void> keep_only_canary(std::string_view key_id) override {
        sqlite_query query(statements_[drop_canaries]);
        query.bind(key_id);
        return query.run();
    }

private:
    base::result<std::int64_t> next_change() override {
        sqlite_query query(statements_[draw_change]);
        return integer_of(query);
    }

    base::result<bool> has_slug(std::string_view owner, std::string_view slug) override {
        sqlite_query query(statements_[by_slug]);
        query.bind(owner).bind(slug);
        return had_row(query);
    }

    base::result<std::int64_t> count(std::string_view owner) override {
        sqlite_query query(statements_[count_rows]);
        query.bind(owner);
        return integer_of(query);
    }

    base::result<void> add(const provider_key_row& row, std::int64_t number) override {
        sqlite_query query(statements_[insert_row]);
        query.bind(row.id).bind(row.owner_id).bind(row.provider).bind(row.slug).bind(row.display_name);
        query.bind(row.last_four).bind(row.sealed).bind(row.sealed_with).bind(row.created_ms).bind(row.deleted_ms);
        query.bind(number);
        return query.run();
    }

    base::result<bool> write(const provider_key_row& seen, std::string_view sealed, std::string_view sealed_with,
                             std::optional<std::int64_t> deleted_ms, std::int64_t number) override {
        sqlite_query query(statements_[save_row]);
        query.bind(seen.id).bind(sealed).bind(sealed_with).bind(deleted_ms).bind(number).bind(seen.change_number);
        return had_row(query);
    }

    std::array<sqlite_statement, statement_count> statements_;
};

}  // namespace

base::result<std::unique_ptr<provider_key_store>> make_sqlite_provider_key_store(sqlite_database& database) {
    auto store = std::make_unique<sqlite_provider_key_store>(database);
    if (auto prepared = store->prepare(); !prepared) {
        return std::move(prepared).error();
    }
    return std::unique_ptr<provider_key_store>(std::move(store));
}

}  // namespace concurred::storage
