#include "storage/postgres_api_key_store.hpp"

#include "storage/postgres.hpp"

#include <algorithm>
#include <iterator>
#include <limits>
#include <string>
#include <utility>

namespace concurred::storage {

namespace {

const std::string key_columns =
    "id, hash, start, name, owner_id, enabled, expires_ms, rate_limit, rate_window_ms, meta, permissions, created_ms, "
    "updated_ms, deleted_ms, last_used_ms, change_number, token_limit, concurrency, budget_day_nano_usd, "
    "budget_month_nano_usd";
const std::string select_keys = "SELECT " + key_columns + " FROM api_key WHERE ";

api_key_row read_row(const postgres_rows& rows, int at) {
    api_key_row row;
    row.id = rows.text(at, 0);
    row.hash = rows.text(at, 1);
    row.start = rows.text(at, 2);
    row.name = rows.text(at, 3);
    row.owner_id = rows.text(at, 4);
    row.enabled = rows.truth(at, 5);
    row.expires_ms = rows.optional_integer(at, 6);
    row.rate_limit = static_cast<std::uint32_t>(rows.integer(at, 7));
    row.rate_window_ms = rows.integer(at, 8);
    row.meta = rows.text(at, 9);
    row.permissions = rows.text(at, 10);
    row.created_ms = rows.integer(at, 11);
    row.updated_ms = rows.integer(at, 12);
    row.deleted_ms = rows.optional_integer(at, 13);
    row.last_used_ms = rows.optional_integer(at, 14);
    row.change_number = static_cast<std::uint64_t>(rows.integer(at, 15));
    row.spend.tokens_per_minute = static_cast<std::uint64_t>(rows.integer(at, 16));
    row.spend.concurrency = static_cast<std::uint32_t>(rows.integer(at, 17));
    row.spend.budget_day_nano_usd = rows.integer(at, 18);
    row.spend.budget_month_nano_usd = rows.integer(at, 19);
    return row;
}

class postgres_api_key_store final : public api_key_store {
public:
    explicit postgres_api_key_store(postgres_database& database) noexcept : database_(database) {}

    base::result<insert_outcome> insert(const api_key_row& row, std::uint32_t max_keys) override {
        auto transaction = postgres_transaction::begin(database_);
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
        auto transaction = postgres_transaction::begin(database_);
        if (!transaction) {
            return std::move(transaction).error();
        }
        auto found = find(scope, id, " FOR UPDATE");
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
        postgres_values values;
        return read_one(select_keys + "hash = $1 AND deleted_ms IS NULL", values.add(hash));
    }

    base::result<std::optional<api_key_row>> find_by_id(owner_scope scope, std::string_view id) override {
        return find(scope, id, "");
    }

    base::result<std::vector<api_key_row>> list(owner_scope scope, const api_key_list_options& options) override {
        postgres_values values;
        values.add(options.include_revoked).add(options.limit).add(options.offset);
        std::string sql = select_keys + "($1::boolean OR deleted_ms IS NULL)";
        if (scope) {
            values.add(*scope);
            sql += " AND owner_id = $4";
        }
        return read_all(sql + " ORDER BY created_ms, id LIMIT $2 OFFSET $3", values);
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
        postgres_values values;
        auto rows =
            database_.run("SELECT count(*) FROM api_key WHERE owner_id = $1 AND deleted_ms IS NULL", values.add(owner));
        if (!rows) {
            return std::move(rows).error();
        }
        return static_cast<std::uint32_t>(rows->integer(0, 0));
    }

    base::result<std::vector<api_key_row>> changed_since(std::uint64_t cursor, std::uint32_t limit) override {
        postgres_values values;
        return read_all(select_keys + "change_number > $1 ORDER BY change_number LIMIT $2",
                        values.add(cursor).add(limit));
    }

    base::result<std::uint64_t> last_change() override {
        auto rows = database_.run("SELECT value FROM change_counter");
        if (!rows) {
            return std::move(rows).error();
        }
        return static_cast<std::uint64_t>(rows->integer(0, 0));
    }

    base::result<void> touch_last_used(std::span<const key_use> uses) override {
        for (const key_use& use : uses) {
            postgres_values values;
            values.add(std::string_view(use.key_id)).add(use.used_ms).add(last_used_step_ms);
            auto done = database_.run(
                "UPDATE api_key SET last_used_ms = $2 WHERE id = $1 AND "
                "(last_used_ms IS NULL OR last_used_ms <= $2::bigint - $3::bigint)",
                values);
            if (!done) {
                return std::move(done).error();
            }
        }
        return {};
    }

private:
    base::result<std::uint32_t> count_unexpired(std::string_view owner, std::int64_t now_ms) {
        postgres_values values;
        auto rows = database_.run(
            "SELECT count(*) FROM api_key WHERE owner_id = $1 AND deleted_ms IS NULL "
            "AND (expires_ms IS NULL OR expires_ms > $2)",
            values.add(owner).add(now_ms));
        if (!rows) {
            return std::move(rows).error();
        }
        return static_cast<std::uint32_t>(rows->integer(0, 0));
    }

    /// Stores a new key under a new change number, within a transaction.
    base::result<insert_outcome> add(const api_key_row& row, std::uint32_t max_keys) {
        // Takes the counter's row: others that insert wait here, and count only what is committed.
        auto number = next_change();
        if (!number) {
            return std::move(number).error();
        }
        auto present = count_unexpired(row.owner_id, row.created_ms);
        if (!present) {
            return std::move(present).error();
        }
        if (*present >= max_keys) {
            return insert_outcome::owner_full;
        }
        postgres_values v;
        v.add(std::string_view(row.id)).add(std::string_view(row.hash)).add(std::string_view(row.start));
        v.add(std::string_view(row.name)).add(std::string_view(row.owner_id)).add(row.enabled).add(row.expires_ms);
        v.add(row.rate_limit).add(row.rate_window_ms).add(std::string_view(row.meta));
        v.add(std::string_view(row.permissions)).add(row.created_ms).add(row.updated_ms).add(row.deleted_ms);
        v.add(row.last_used_ms).add(*number).add(row.spend.tokens_per_minute).add(row.spend.concurrency);
        v.add(row.spend.budget_day_nano_usd).add(row.spend.budget_month_nano_usd);
        const std::string sql = "INSERT INTO api_key (" + key_columns +
                                ") VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15,$16,$17,$18,$19,$20) "
                                "ON CONFLICT DO NOTHING RETURNING 1";
        auto inserted = database_.run(sql.c_str(), v);
        if (!inserted) {
            return std::move(inserted).error();
        }
        return inserted->count() == 0 ? insert_outcome::duplicate : insert_outcome::inserted;
    }

    /// Saves a changed key under a new change number, within a transaction.
    base::result<void> save(api_key_row& row, std::int64_t now_ms) {
        auto number = next_change();
        if (!number) {
            return std::move(number).error();
        }
        row.updated_ms = now_ms;
        row.change_number = static_cast<std::uint64_t>(*number);
        postgres_values v;
        v.add(std::string_view(row.id)).add(std::string_view(row.name)).add(row.enabled).add(row.expires_ms);
        v.add(row.rate_limit).add(row.updated_ms).add(row.deleted_ms).add(*number);
        v.add(row.spend.tokens_per_minute).add(row.spend.concurrency).add(row.spend.budget_day_nano_usd);
        v.add(row.spend.budget_month_nano_usd);
        auto saved = database_.run(
            "UPDATE api_key SET name = $2, enabled = $3, expires_ms = $4, rate_limit = $5, updated_ms = $6, "
            "deleted_ms = $7, change_number = $8, token_limit = $9, concurrency = $10, budget_day_nano_usd = $11, "
            "budget_month_nano_usd = $12 WHERE id = $1",
            v);
        return saved ? base::result<void>() : base::result<void>(std::move(saved).error());
    }

    base::result<std::vector<api_key_row>> read_all(const std::string& sql, const postgres_values& values) {
        auto rows = database_.run(sql.c_str(), values);
        if (!rows) {
            return std::move(rows).error();
        }
        std::vector<api_key_row> all;
        for (int at = 0; at < rows->count(); ++at) {
            all.push_back(read_row(*rows, at));
        }
        return all;
    }

    base::result<std::optional<api_key_row>> read_one(const std::string& sql, const postgres_values& values) {
        auto rows = database_.run(sql.c_str(), values);
        if (!rows) {
            return std::move(rows).error();
        }
        return rows->count() != 0 ? std::optional(read_row(*rows, 0)) : std::nullopt;
    }

    base::result<std::optional<api_key_row>> find(owner_scope scope, std::string_view id, const char* lock) {
        postgres_values values;
        values.add(id);
        std::string sql = select_keys + "id = $1 AND deleted_ms IS NULL";
        if (scope) {
            values.add(*scope);
            sql += " AND owner_id = $2";
        }
        return read_one(sql + lock, values);
    }

    base::result<std::int64_t> next_change() {
        auto rows = database_.run("UPDATE change_counter SET value = value + 1 RETURNING value");
        if (!rows) {
            return std::move(rows).error();
        }
        return rows->integer(0, 0);
    }

    /// Reads a key, lets `modify` change it and, if that returns true, saves it under a new change number.
    template <class Modify>
    base::result<std::optional<api_key_row>> change(owner_scope scope, std::string_view id, std::int64_t now_ms,
                                                    Modify modify) {
        auto transaction = postgres_transaction::begin(database_);
        if (!transaction) {
            return std::move(transaction).error();
        }
        auto found = find(scope, id, " FOR UPDATE");
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

    postgres_database& database_;
};

constexpr std::uint32_t page = 1'000;

class postgres_key_changes final : public key_changes {
public:
    postgres_key_changes(api_key_store& store, std::uint64_t cursor) noexcept : store_(store), cursor_(cursor) {}

    base::result<std::vector<api_key_row>> poll() override {
        std::vector<api_key_row> rows;
        const auto last = store_.last_change();
        if (!last) {
            return last.error();
        }
        std::uint64_t cursor = cursor_;
        for (bool more = *last != cursor_; more;) {
            auto changed = store_.changed_since(cursor, page);
            if (!changed) {
                return std::move(changed).error();
            }
            more = changed->size() == page;
            cursor = changed->empty() ? cursor : changed->back().change_number;
            rows.insert(rows.end(), std::move_iterator(changed->begin()), std::move_iterator(changed->end()));
        }
        // A number drawn by a transaction that was rolled back is nobody's.
        cursor_ = rows.empty() ? *last : cursor;
        return rows;
    }

private:
    api_key_store& store_;
    std::uint64_t cursor_;
};

}  // namespace

std::unique_ptr<api_key_store> make_postgres_api_key_store(postgres_database& database) {
    return std::make_unique<postgres_api_key_store>(database);
}

base::result<std::unique_ptr<key_changes>> make_postgres_key_changes(api_key_store& store) {
    const auto cursor = store.last_change();
    if (!cursor) {
        return cursor.error();
    }
    return std::unique_ptr<key_changes>(std::make_unique<postgres_key_changes>(store, *cursor));
}

}  // namespace concurred::storage
