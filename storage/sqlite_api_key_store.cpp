#include "storage/api_key_steps.hpp"
#include "storage/key_rows.hpp"
#include "storage/sqlite_rows.hpp"

#include <array>
#include <limits>
#include <utility>

namespace concurred::storage {

namespace {

enum statement_id : std::size_t {
    insert_key,
    by_hash,
    by_id,
    by_id_of_owner,
    list_all,
    list_of_owner,
    save_key,
    count_keys,
    changed,
    read_change,
    draw_change,
    touch,
    statement_count,
};

// In the order of statement_id; @ stands for api_key_columns.
constexpr std::array<std::string_view, statement_count> statement_texts{{
    "INSERT INTO api_key (@) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT DO NOTHING "
    "RETURNING 1",
    "SELECT @ FROM api_key WHERE hash >= ?1 ORDER BY hash LIMIT 1",
    "SELECT @ FROM api_key WHERE id = ?1 AND deleted_ms IS NULL",
    "SELECT @ FROM api_key WHERE id = ?1 AND deleted_ms IS NULL AND owner_id = ?2",
    "SELECT @ FROM api_key WHERE (?1 OR deleted_ms IS NULL) ORDER BY created_ms, id LIMIT ?2 OFFSET ?3",
    "SELECT @ FROM api_key WHERE (?1 OR deleted_ms IS NULL) AND owner_id = ?4 "
    "ORDER BY created_ms, id LIMIT ?2 OFFSET ?3",
    "UPDATE api_key SET name = ?2, enabled = ?3, expires_ms = ?4, rate_limit = ?5, updated_ms = ?6, deleted_ms = ?7, "
    "change_number = ?8, token_limit = ?9, concurrency = ?10, budget_day_nano_usd = ?11, budget_month_nano_usd = ?12 "
    "WHERE id = ?1",
    "SELECT count(*) FROM api_key WHERE owner_id = ?1 AND deleted_ms IS NULL "
    "AND (expires_ms IS NULL OR expires_ms > ?2)",
    "SELECT @ FROM api_key WHERE change_number > ?1 ORDER BY change_number LIMIT ?2",
    "SELECT value FROM change_counter",
    "UPDATE change_counter SET value = value + 1 RETURNING value",
    "UPDATE api_key SET last_used_ms = ?2 WHERE id = ?1 AND (last_used_ms IS NULL OR last_used_ms <= ?2 - ?3)",
}};

api_key_row read_row(const sqlite_query& query) {
    return read_api_key(query);
}

void bind_spend(sqlite_query& query, const key_spend_limits& spend) {
    query.bind(spend.tokens_per_minute).bind(spend.concurrency);
    query.bind(spend.budget_day_nano_usd).bind(spend.budget_month_nano_usd);
}

class sqlite_api_key_store final : public api_key_steps<sqlite_database, sqlite_transaction> {
public:
    explicit sqlite_api_key_store(sqlite_database& database) noexcept : api_key_steps(database) {}

    base::result<void> prepare() { return prepare_all(database(), statement_texts, api_key_columns, statements_); }

    base::result<std::optional<api_key_row>> find_by_id(owner_scope scope, std::string_view id) override {
        sqlite_query query(statements_[scope ? by_id_of_owner : by_id]);
        query.bind(id);
        if (scope) {
            query.bind(*scope);
        }
        return first_row(query, read_row);
    }

    base::result<std::vector<api_key_row>> list(owner_scope scope, const api_key_list_options& options) override {
        sqlite_query query(statements_[scope ? list_of_owner : list_all]);
        query.bind(options.include_revoked).bind(options.limit).bind(options.offset);
        if (scope) {
            query.bind(*scope);
        }
        return all_rows(query, read_row);
    }

    base::result<std::uint32_t> count(std::string_view owner) override {
        return count_unexpired(owner, std::numeric_limits<std::int64_t>::min());
    }

    base::result<std::vector<api_key_row>> changed_since(std::uint64_t cursor, std::uint32_t limit) override {
        sqlite_query query(statements_[changed]);
        query.bind(cursor).bind(limit);
        return all_rows(query, read_row);
    }

    base::result<std::uint64_t> last_change() override {
        sqlite_query query(statements_[read_change]);
        auto number = integer_of(query);
        if (!number) {
            return std::move(number).error();
        }
        return static_cast<std::uint64_t>(*number);
    }

    base::result<void> touch_last_used(std::span<const key_use> uses) override {
        auto transaction = sqlite_transaction::begin(database());
        if (!transaction) {
            return std::move(transaction).error();
        }
        for (const key_use& use : uses) {
            sqlite_query query(statements_[touch]);
            query.bind(use.key_id).bind(use.used_ms).bind(last_used_step_ms);
            if (auto done = query.run(); !done) {
                return done;
            }
        }
        return transaction->commit();
    }

private:
    base::result<std::optional<api_key_row>> at_hash_or_next(std::string_view hash) override {
        sqlite_query query(statements_[by_hash]);
        query.bind(hash);
        return first_row(query, read_row);
    }

    base::result<std::uint32_t> count_unexpired(std::string_view owner, std::int64_t now_ms) {
        sqlite_query query(statements_[count_keys]);
        query.bind(owner).bind(now_ms);
        if (auto found = query.next(); !found) {
            return std::move(found).error();
        }
        return static_cast<std::uint32_t>(query.integer(0));
    }

    base::result<std::optional<api_key_row>> find_to_change(owner_scope scope, std::string_view id) override {
        return find_by_id(scope, id);
    }

    base::result<std::int64_t> next_change() override {
        sqlite_query query(statements_[draw_change]);
        return integer_of(query);
    }

    base::result<insert_outcome> add(const api_key_row& row, std::uint32_t max_keys) override {
        auto present = count_unexpired(row.owner_id, row.created_ms);
        if (!present) {
            return std::move(present).error();
        }
        if (*present >= max_keys) {
            return insert_outcome::owner_full;
        }
        auto number = next_change();
        if (!number) {
            return std::move(number).error();
        }
        sqlite_query query(statements_[insert_key]);
        query.bind(row.id).bind(row.hash).bind(row.start).bind(row.name).bind(row.owner_id).bind(row.enabled);
        query.bind(row.expires_ms).bind(row.rate_limit).bind(row.rate_window_ms).bind(row.meta).bind(row.permissions);
        query.bind(row.created_ms).bind(row.updated_ms).bind(row.deleted_ms).bind(row.last_used_ms).bind(*number);
        bind_spend(query, row.spend);
        auto inserted = had_row(query);
        if (!inserted) {
            return std::move(inserted).error();
        }
        return *inserted ? insert_outcome::inserted : insert_outcome::duplicate;
    }

    base::result<void> write(const api_key_row& row) override {
        sqlite_query query(statements_[save_key]);
        query.bind(row.id).bind(row.name).bind(row.enabled).bind(row.expires_ms).bind(row.rate_limit);
        query.bind(row.updated_ms).bind(row.deleted_ms).bind(row.change_number);
        bind_spend(query, row.spend);
        return query.run();
    }

    std::array<sqlite_statement, statement_count> statements_;
};

}  // namespace

base::result<std::unique_ptr<api_key_store>> make_sqlite_api_key_store(sqlite_database& database) {
    auto store = std::make_unique<sqlite_api_key_store>(database);
    if (auto prepared = store->prepare(); !prepared) {
        return std::move(prepared).error();
    }
    return std::unique_ptr<api_key_store>(std::move(store));
}

}  // namespace concurred::storage
