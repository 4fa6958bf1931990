#include "storage/postgres_api_key_store.hpp"

#include "storage/api_key_steps.hpp"
#include "storage/key_rows.hpp"
#include "storage/postgres_rows.hpp"

#include <limits>
#include <string>
#include <utility>

namespace concurred::storage {

namespace {

const std::string select_keys = "SELECT " + std::string(api_key_columns) + " FROM api_key WHERE ";

api_key_row read_row(const postgres_row& row) {
    return read_api_key(row);
}

class postgres_api_key_store final : public api_key_steps<postgres_database, postgres_transaction> {
public:
    explicit postgres_api_key_store(postgres_database& database) noexcept : api_key_steps(database) {}

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
        return all_rows(database(), sql + " ORDER BY created_ms, id LIMIT $2 OFFSET $3", values, read_row);
    }

    base::result<std::uint32_t> count(std::string_view owner) override {
        return count_unexpired(owner, std::numeric_limits<std::int64_t>::min());
    }

    base::result<std::vector<api_key_row>> changed_since(std::uint64_t cursor, std::uint32_t limit) override {
        postgres_values values;
        values.add(cursor).add(limit);
        return all_rows(database(), select_keys + "change_number > $1 ORDER BY change_number LIMIT $2", values,
                        read_row);
    }

    base::result<std::uint64_t> last_change() override {
        auto number = integer_of(database(), "SELECT value FROM change_counter");
        if (!number) {
            return std::move(number).error();
        }
        return static_cast<std::uint64_t>(*number);
    }

    base::result<void> touch_last_used(std::span<const key_use> uses) override {
        for (const key_use& use : uses) {
            postgres_values values;
            values.add(std::string_view(use.key_id)).add(use.used_ms).add(last_used_step_ms);
            auto done = database().run(
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
    base::result<std::optional<api_key_row>> at_hash_or_next(std::string_view hash) override {
        postgres_values values;
        return first_row(database(), select_keys + "hash >= $1 ORDER BY hash LIMIT 1", values.add(hash), read_row);
    }

    base::result<std::uint32_t> count_unexpired(std::string_view owner, std::int64_t now_ms) {
        postgres_values values;
        auto number = integer_of(database(),
                                 "SELECT count(*) FROM api_key WHERE owner_id = $1 AND deleted_ms IS NULL "
                                 "AND (expires_ms IS NULL OR expires_ms > $2)",
                                 values.add(owner).add(now_ms));
        if (!number) {
            return std::move(number).error();
        }
        return static_cast<std::uint32_t>(*number);
    }

    base::result<std::optional<api_key_row>> find_to_change(owner_scope scope, std::string_view id) override {
        return find(scope, id, " FOR UPDATE");
    }

    base::result<std::int64_t> next_change() override { return draw_change(database()); }

    base::result<insert_outcome> add(const api_key_row& row, std::uint32_t max_keys) override {
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
        const std::string sql = "INSERT INTO api_key (" + std::string(api_key_columns) +
                                ") VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15,$16,$17,$18,$19,$20) "
                                "ON CONFLICT DO NOTHING RETURNING 1";
        auto inserted = had_row(database(), sql.c_str(), v);
        if (!inserted) {
            return std::move(inserted).error();
        }
        return *inserted ? insert_outcome::inserted : insert_outcome::duplicate;
    }

    base::result<void> write(const api_key_row& row) override {
        postgres_values v;
        v.add(std::string_view(row.id)).add(std::string_view(row.name)).add(row.enabled).add(row.expires_ms);
        v.add(row.rate_limit).add(row.updated_ms).add(row.deleted_ms).add(row.change_number);
        v.add(row.spend.tokens_per_minute).add(row.spend.concurrency).add(row.spend.budget_day_nano_usd);
        v.add(row.spend.budget_month_nano_usd);
        return execute(
            database(),
            "UPDATE api_key SET name = $2, enabled = $3, expires_ms = $4, rate_limit = $5, updated_ms = $6, "
            "deleted_ms = $7, change_number = $8, token_limit = $9, concurrency = $10, budget_day_nano_usd = $11, "
            "budget_month_nano_usd = $12 WHERE id = $1",
            v);
    }

    base::result<std::optional<api_key_row>> find(owner_scope scope, std::string_view id, const char* lock) {
        postgres_values values;
        values.add(id);
        std::string sql = select_keys + "id = $1 AND deleted_ms IS NULL";
        if (scope) {
            values.add(*scope);
            sql += " AND owner_id = $2";
        }
        return first_row(database(), sql + lock, values, read_row);
    }
};

class postgres_key_changes final : public key_changes {
public:
    postgres_key_changes(api_key_store& store, std::uint64_t cursor) noexcept : store_(store), cursor_(cursor) {}

    base::result<std::vector<api_key_row>> poll() override {
        const auto last = store_.last_change();
        if (!last) {
            return last.error();
        }
        if (*last == cursor_) {
            return std::vector<api_key_row>();
        }
        auto rows = read_changes(store_, cursor_);
        if (rows && rows->empty()) {
            cursor_ = *last;  // drawn by other tables' rows, or by a transaction that was rolled back
        }
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
