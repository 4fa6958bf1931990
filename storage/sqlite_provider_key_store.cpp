#include "storage/provider_key_store.hpp"
#include "storage/sqlite.hpp"

#include <array>
#include <utility>

namespace concurred::storage {

namespace {

constexpr std::string_view columns =
    "id, owner_id, provider, slug, display_name, last_four, sealed, sealed_with, created_ms, deleted_ms, change_number";

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
    next_change,
    all_canaries,
    store_canary,
    drop_canaries,
    statement_count,
};

// In the order of statement_id; @ stands for the columns.
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
    provider_key_row row;
    row.id = query.text(0);
    row.owner_id = query.text(1);
    row.provider = query.text(2);
    row.slug = query.text(3);
    row.display_name = query.text(4);
    row.last_four = query.text(5);
    row.sealed = query.text(6);
    row.sealed_with = query.text(7);
    row.created_ms = query.integer(8);
    row.deleted_ms = query.optional_integer(9);
    row.change_number = static_cast<std::uint64_t>(query.integer(10));
    return row;
}

base::result<std::vector<provider_key_row>> read_all(sqlite_query& query) {
    std::vector<provider_key_row> rows;
    while (true) {
        auto found = query.next();
        if (!found) {
            return std::move(found).error();
        }
        if (!*found) {
            return rows;
        }
        rows.push_back(read_row(query));
    }
}

base::result<std::optional<provider_key_row>> read_one(sqlite_query& query) {
    auto found = query.next();
    if (!found) {
        return std::move(found).error();
    }
    return *found ? std::optional(read_row(query)) : std::nullopt;
}

class sqlite_provider_key_store final : public provider_key_store {
public:
    explicit sqlite_provider_key_store(sqlite_database& database) noexcept : database_(database) {}

    base::result<void> prepare() {
        for (std::size_t i = 0; i < statement_count; ++i) {
            std::string text(statement_texts[i]);
            if (const std::size_t at = text.find('@'); at != std::string::npos) {
                text.replace(at, 1, columns);
            }
            auto prepared = database_.prepare(text);
            if (!prepared) {
                return std::move(prepared).error();
            }
            statements_[i] = std::move(*prepared);
        }
        return {};
    }

    base::result<provider_key_outcome> insert(const provider_key_row& row, std::uint32_t max_keys) override {
        auto transaction = sqlite_transaction::begin(database_);
        if (!transaction) {
            return std::move(transaction).error();
        }
        {
            sqlite_query same(statements_[by_slug]);
            same.bind(row.owner_id).bind(row.slug);
            auto taken = same.next();
            if (!taken) {
                return std::move(taken).error();
            }
            if (*taken) {
                return provider_key_outcome::slug_taken;
            }
        }
        auto present = integer(count_rows, row.owner_id);
        if (!present) {
            return std::move(present).error();
        }
        if (*present >= std::int64_t{max_keys}) {
            return provider_key_outcome::owner_full;
        }
        auto number = integer(next_change);
        if (!number) {
            return std::move(number).error();
        }
        {
            sqlite_query query(statements_[insert_row]);
            query.bind(row.id).bind(row.owner_id).bind(row.provider).bind(row.slug).bind(row.display_name);
            query.bind(row.last_four).bind(row.sealed).bind(row.sealed_with).bind(row.created_ms).bind(row.deleted_ms);
            query.bind(*number);
            if (auto done = query.run(); !done) {
                return std::move(done).error();
            }
        }
        if (auto committed = transaction->commit(); !committed) {
            return std::move(committed).error();
        }
        return provider_key_outcome::inserted;
    }

    base::result<std::vector<provider_key_row>> list(owner_scope scope) override {
        sqlite_query query(statements_[scope ? list_of_owner : list_all]);
        if (scope) {
            query.bind(*scope);
        }
        return read_all(query);
    }

    base::result<std::optional<provider_key_row>> find(owner_scope scope, std::string_view id) override {
        sqlite_query query(statements_[scope ? by_id_of_owner : by_id]);
        query.bind(id);
        if (scope) {
            query.bind(*scope);
        }
        return read_one(query);
    }

    base::result<std::optional<provider_key_row>> remove(owner_scope scope, std::string_view id,
                                                         std::int64_t now_ms) override {
        auto transaction = sqlite_transaction::begin(database_);
        if (!transaction) {
            return std::move(transaction).error();
        }
        auto found = find(scope, id);
        if (!found || !*found) {
            return found;
        }
        auto saved = save(**found, {}, {}, now_ms);
        if (!saved) {
            return std::move(saved).error();
        }
        if (auto committed = transaction->commit(); !committed) {
            return std::move(committed).error();
        }
        return found;
    }

    base::result<std::vector<provider_key_row>> changed_since(std::uint64_t cursor, std::uint32_t limit) override {
        sqlite_query query(statements_[changed]);
        query.bind(cursor).bind(limit);
        return read_all(query);
    }

    base::result<std::vector<provider_key_row>> sealed_otherwise(std::string_view key_id,
                                                                 std::uint32_t limit) override {
        sqlite_query query(statements_[otherwise]);
        query.bind(key_id).bind(limit);
        return read_all(query);
    }

    base::result<bool> reseal(const provider_key_row& seen, std::string_view sealed,
                              std::string_view sealed_with) override {
        auto transaction = sqlite_transaction::begin(database_);
        if (!transaction) {
            return std::move(transaction).error();
        }
        auto saved = save(seen, sealed, sealed_with, std::nullopt);
        if (!saved || !*saved) {
            return saved;
        }
        if (auto committed = transaction->commit(); !committed) {
            return std::move(committed).error();
        }
        return true;
    }

    base::result<std::vector<canary_row>> canaries() override {
        std::vector<canary_row> rows;
        sqlite_query query(statements_[all_canaries]);
        while (true) {
            auto found = query.next();
            if (!found) {
                return std::move(found).error();
            }
            if (!*found) {
                return rows;
            }
            rows.push_back({std::string(query.text(0)), std::string(query.text(1))});
        }
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
    /// Writes under a new change number, unless the row has another one than `seen`.
    base::result<bool> save(const provider_key_row& seen, std::string_view sealed, std::string_view sealed_with,
                            std::optional<std::int64_t> deleted_ms) {
        auto number = integer(next_change);
        if (!number) {
            return std::move(number).error();
        }
        sqlite_query query(statements_[save_row]);
        query.bind(seen.id).bind(sealed).bind(sealed_with).bind(deleted_ms).bind(*number).bind(seen.change_number);
        auto done = query.next();
        if (done && *done) {
            if (auto ended = query.run(); !ended) {
                return std::move(ended).error();
            }
        }
        return done;
    }

    base::result<std::int64_t> integer(statement_id which, std::string_view parameter = {}) {
        sqlite_query query(statements_[which]);
        if (!parameter.empty()) {
            query.bind(parameter);
        }
        if (auto found = query.next(); !found) {
            return std::move(found).error();
        }
        const std::int64_t value = query.integer(0);
        if (auto done = query.run(); !done) {
            return std::move(done).error();
        }
        return value;
    }

    sqlite_database& database_;
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
