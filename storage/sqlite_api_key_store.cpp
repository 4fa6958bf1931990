#include "storage/api_key_store.hpp"
#include "storage/sqlite.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <string>
#include <utility>

namespace concurred::storage {

namespace {

constexpr std::string_view key_columns =
    "id, hash, start, name, owner_id, enabled, expires_ms, rate_limit, rate_window_ms, meta, permissions, created_ms, "
    "updated_ms, deleted_ms, last_used_ms, change_number, token_limit, concurrency, budget_day_nano_usd, "
    "budget_month_nano_usd";

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
    next_change,
    touch,
    statement_count,
};

// In the order of statement_id; @ stands for key_columns.
constexpr std::array<std::string_view, statement_count> statement_texts{{
    "INSERT INTO api_key (@) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT DO NOTHING "
    "RETURNING 1",
    "SELECT @ FROM api_key WHERE hash = ?1 AND deleted_ms IS NULL",
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
    api_key_row row;
    row.id = query.text(0);
    row.hash = query.text(1);
    row.start = query.text(2);
    row.name = query.text(3);
    row.owner_id = query.text(4);
    row.enabled = query.integer(5) != 0;
    row.expires_ms = query.optional_integer(6);
    row.rate_limit = static_cast<std::uint32_t>(query.integer(7));
    row.rate_window_ms = query.integer(8);
    row.meta = query.text(9);
    row.permissions = query.text(10);
    row.created_ms = query.integer(11);
    row.updated_ms = query.integer(12);
    row.deleted_ms = query.optional_integer(13);
    row.last_used_ms = query.optional_integer(14);
    row.change_number = static_cast<std::uint64_t>(query.integer(15));
    row.spend.tokens_per_minute = static_cast<std::uint64_t>(query.integer(16));
    row.spend.concurrency = static_cast<std::uint32_t>(query.integer(17));
    row.spend.budget_day_nano_usd = query.integer(18);
    row.spend.budget_month_nano_usd = query.integer(19);
    return row;
}

void bind_spend(sqlite_query& query, const key_spend_limits& spend) {
    query.bind(spend.tokens_per_minute).bind(spend.concurrency);
    query.bind(spend.budget_day_nano_usd).bind(spend.budget_month_nano_usd);
}

base::result<std::optional<api_key_row>> read_one(sqlite_query& query) {
    auto found = query.next();
    if (!found) {
        return std::move(found).error();
    }
    return *found ? std::optional(read_row(query)) : std::nullopt;
}

base::result<std::vector<api_key_row>> read_all(sqlite_query& query) {
    std::vector<api_key_row> rows;
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

base::result<std::int64_t> read_integer(sqlite_statement& statement) {
    sqlite_query query(statement);
    auto found = query.next();
    if (!found) {
        return std::move(found).error();
    }
    const std::int64_t value = query.integer(0);
    if (auto done = query.run(); !done) {
        return std::move(done).error();
    }
    return value;
}

class sqlite_api_key_store final : public api_key_store {
public:
    explicit sqlite_api_key_store(sqlite_database& database) noexcept : database_(database) {}

    base::result<void> prepare() {
        for (std::size_t i = 0; i < statement_count; ++i) {
            std::string text(statement_texts[i]);
            if (const std::size_t at = text.find('@'); at != std::string::npos) {
                text.replace(at, 1, key_columns);
            }
            auto prepared = database_.prepare(text);
            if (!prepared) {
                return std::move(prepared).error();
            }
            statements_[i] = std::move(*prepared);
        }
        return {};
    }

    base::result<insert_outcome> insert(const api_key_row& row, std::uint32_t max_keys) override {
        auto transaction = sqlite_transaction::begin(database_);
        if (!transaction) {
            return std::move(transaction).error();
        }
        auto outcome = add(row, max_keys);
        if (!outcome || *outcome != insert_outcome::inserted) {
            return outcome;
        }
        if (auto committed = transaction->commit(); !committed) {
            return std::move(committed).error();
        }
        return outcome;
    }

    base::result<rotation> rotate(owner_scope scope, std::string_view id, const api_key_row& made,
                                  std::int64_t grace_ms, std::uint32_t max_keys, std::int64_t now_ms) override {
        auto transaction = sqlite_transaction::begin(database_);
        if (!transaction) {
            return std::move(transaction).error();
        }
        auto found = find_by_id(scope, id);
        if (!found) {
            return std::move(found).error();
        }
        if (!*found) {
            return rotation{};
        }
        rotation done{.old = **found, .made = **found};
        done.made.id = made.id;
        done.made.hash = made.hash;
        done.made.start = made.start;
        done.made.created_ms = done.made.updated_ms = now_ms;
        done.made.last_used_ms.reset();
        if (grace_ms == 0) {
            done.old->deleted_ms = now_ms;
        } else {
            const std::int64_t until = now_ms + grace_ms;
            done.old->expires_ms = std::min(done.old->expires_ms.value_or(until), until);
        }
        if (auto saved = save(*done.old, now_ms); !saved) {
            return std::move(saved).error();
        }
        auto outcome = add(done.made, max_keys);
        if (!outcome) {
            return std::move(outcome).error();
        }
        done.outcome = *outcome;
        if (done.outcome != insert_outcome::inserted) {
            return done;
        }
        if (auto committed = transaction->commit(); !committed) {
            return std::move(committed).error();
        }
        return done;
    }

    base::result<std::optional<api_key_row>> find_by_hash(std::string_view hash) override {
        sqlite_query query(statements_[by_hash]);
        query.bind(hash);
        return read_one(query);
    }

    base::result<std::optional<api_key_row>> find_by_id(owner_scope scope, std::string_view id) override {
        sqlite_query query(statements_[scope ? by_id_of_owner : by_id]);
        query.bind(id);
        if (scope) {
            query.bind(*scope);
        }
        return read_one(query);
    }

    base::result<std::vector<api_key_row>> list(owner_scope scope, const api_key_list_options& options) override {
        sqlite_query query(statements_[scope ? list_of_owner : list_all]);
        query.bind(options.include_revoked).bind(options.limit).bind(options.offset);
        if (scope) {
            query.bind(*scope);
        }
        return read_all(query);
    }

    base::result<std::optional<api_key_row>> update(owner_scope scope, std::string_view id, const api_key_patch& patch,
                                                    std::int64_t now_ms) override {
        return change(scope, id, now_ms, [&patch](api_key_row& row) { return patch.apply_to(row); });
    }

    base::result<std::optional<api_key_row>> revoke(owner_scope scope, std::string_view id,
                                                    std::int64_t now_ms) override {
        return change(scope, id, now_ms, [now_ms](api_key_row& row) {
            row.deleted_ms = now_ms;
            return true;
        });
    }

    base::result<std::uint32_t> count(std::string_view owner) override {
        return count_unexpired(owner, std::numeric_limits<std::int64_t>::min());
    }

    base::result<std::vector<api_key_row>> changed_since(std::uint64_t cursor, std::uint32_t limit) override {
        sqlite_query query(statements_[changed]);
        query.bind(cursor).bind(limit);
        return read_all(query);
    }

    base::result<std::uint64_t> last_change() override {
        auto number = read_integer(statements_[read_change]);
        if (!number) {
            return std::move(number).error();
        }
        return static_cast<std::uint64_t>(*number);
    }

    base::result<void> touch_last_used(std::span<const key_use> uses) override {
        auto transaction = sqlite_transaction::begin(database_);
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
    base::result<std::uint32_t> count_unexpired(std::string_view owner, std::int64_t now_ms) {
        sqlite_query query(statements_[count_keys]);
        query.bind(owner).bind(now_ms);
        if (auto found = query.next(); !found) {
            return std::move(found).error();
        }
        return static_cast<std::uint32_t>(query.integer(0));
    }

    /// Stores a new key under a new change number, within a transaction.
    base::result<insert_outcome> add(const api_key_row& row, std::uint32_t max_keys) {
        auto present = count_unexpired(row.owner_id, row.created_ms);
        if (!present) {
            return std::move(present).error();
        }
        if (*present >= max_keys) {
            return insert_outcome::owner_full;
        }
        auto number = read_integer(statements_[next_change]);
        if (!number) {
            return std::move(number).error();
        }
        sqlite_query query(statements_[insert_key]);
        query.bind(row.id).bind(row.hash).bind(row.start).bind(row.name).bind(row.owner_id).bind(row.enabled);
        query.bind(row.expires_ms).bind(row.rate_limit).bind(row.rate_window_ms).bind(row.meta).bind(row.permissions);
        query.bind(row.created_ms).bind(row.updated_ms).bind(row.deleted_ms).bind(row.last_used_ms).bind(*number);
        bind_spend(query, row.spend);
        auto inserted = query.next();
        if (!inserted) {
            return std::move(inserted).error();
        }
        if (!*inserted) {
            return insert_outcome::duplicate;
        }
        if (auto done = query.run(); !done) {
            return std::move(done).error();
        }
        return insert_outcome::inserted;
    }

    /// Saves a changed key under a new change number, within a transaction.
    base::result<void> save(api_key_row& row, std::int64_t now_ms) {
        auto number = read_integer(statements_[next_change]);
        if (!number) {
            return std::move(number).error();
        }
        row.updated_ms = now_ms;
        row.change_number = static_cast<std::uint64_t>(*number);
        sqlite_query query(statements_[save_key]);
        query.bind(row.id).bind(row.name).bind(row.enabled).bind(row.expires_ms).bind(row.rate_limit);
        query.bind(row.updated_ms).bind(row.deleted_ms).bind(*number);
        bind_spend(query, row.spend);
        return query.run();
    }

    /// Reads a key, lets `modify` change it and, if that returns true, saves it under a new change number.
    template <class Modify>
    base::result<std::optional<api_key_row>> change(owner_scope scope, std::string_view id, std::int64_t now_ms,
                                                    Modify modify) {
        auto transaction = sqlite_transaction::begin(database_);
        if (!transaction) {
            return std::move(transaction).error();
        }
        auto found = find_by_id(scope, id);
        if (!found || !*found || !modify(**found)) {
            return found;
        }
        if (auto saved = save(**found, now_ms); !saved) {
            return std::move(saved).error();
        }
        if (auto committed = transaction->commit(); !committed) {
            return std::move(committed).error();
        }
        return found;
    }

    sqlite_database& database_;
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
