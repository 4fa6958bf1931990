#include "storage/key_rows.hpp"
#include "storage/postgres_rows.hpp"
#include "storage/provider_key_steps.hpp"

#include <string>

namespace concurred::storage {

namespace {

const std::string select_keys = "SELECT " + std::string(provider_key_columns) + " FROM provider_key WHERE ";

provider_key_row read_row(const postgres_row& row) {
    return read_provider_key(row);
}

class postgres_provider_key_store final : public provider_key_steps<postgres_database, postgres_transaction> {
public:
    explicit postgres_provider_key_store(postgres_database& database) noexcept : provider_key_steps(database) {}

    base::result<std::vector<provider_key_row>> list(owner_scope scope) override {
        postgres_values values;
        std::string sql = select_keys + "deleted_ms IS NULL";
        if (scope) {
            values.add(*scope);
            sql += " AND owner_id = $1";
        }
        return all_rows(database(), sql + " ORDER BY created_ms, id", values, read_row);
    }

    base::result<std::optional<provider_key_row>> find(owner_scope scope, std::string_view id) override {
        postgres_values values;
        values.add(id);
        std::string sql = select_keys + "id = $1 AND deleted_ms IS NULL";
        if (scope) {
            values.add(*scope);
            sql += " AND owner_id = $2";
        }
        return first_row(database(), sql, values, read_row);
    }

    base::result<std::vector<provider_key_row>> changed_since(std::uint64_t cursor, std::uint32_t limit) override {
        postgres_values values;
        values.add(cursor).add(limit);
        return all_rows(database(), select_keys + "change_number > $1 ORDER BY change_number LIMIT $2", values,
                        read_row);
    }

    base::result<std::vector<provider_key_row>> sealed_otherwise(std::string_view key_id,
                                                                 std::uint32_t limit) override {
        postgres_values values;
        values.add(key_id).add(limit);
        return all_rows(database(),
                        select_keys + "deleted_ms IS NULL AND sealed_with <> $1 ORDER BY change_number LIMIT $2",
                        values, read_row);
    }

    base::result<std::vector<canary_row>> canaries() override {
        return all_rows(database(), "SELECT sealed_with, sealed FROM secret_canary ORDER BY sealed_with", {},
                        read_canary<postgres_row>);
    }

    base::result<void> put_canary(const canary_row& row) override {
        postgres_values values;
        values.add(std::string_view(row.sealed_with)).add(std::string_view(row.sealed));
        return execute(database(),
                       "INSERT INTO secret_canary (sealed_with, sealed) VALUES ($1, $2) "
                       "ON CONFLICT (sealed_with) DO UPDATE SET sealed = excluded.sealed",
                       values);
    }

    base::result<void> keep_only_canary(std::string_view key_id) override {
        postgres_values values;
        return execute(database(), "DELETE FROM secret_canary WHERE sealed_with <> $1", values.add(key_id));
    }

private:
    base::result<std::int64_t> next_change() override { return draw_change(database()); }

    base::result<bool> has_slug(std::string_view owner, std::string_view slug) override {
        postgres_values values;
        return had_row(database(),
                       "SELECT 1 FROM provider_key WHERE owner_id = $1 AND slug = $2 AND deleted_ms IS NULL",
                       values.add(owner).add(slug));
    }

    base::result<std::int64_t> count(std::string_view owner) override {
        postgres_values values;
        return integer_of(database(), "SELECT count(*) FROM provider_key WHERE owner_id = $1 AND deleted_ms IS NULL",
                          values.add(owner));
    }

    base::result<void> add(const provider_key_row& row, std::int64_t number) override {
        postgres_values v;
        v.add(std::string_view(row.id)).add(std::string_view(row.owner_id)).add(std::string_view(row.provider));
        v.add(std::string_view(row.slug)).add(std::string_view(row.display_name));
        v.add(std::string_view(row.last_four)).add(std::string_view(row.sealed));
        v.add(std::string_view(row.sealed_with)).add(row.created_ms).add(row.deleted_ms).add(number);
        const std::string sql = "INSERT INTO provider_key (" + std::string(provider_key_columns) +
                                ") VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11)";
        return execute(database(), sql.c_str(), v);
    }

    base::result<bool> write(const provider_key_row& seen, std::string_view sealed, std::string_view sealed_with,
                             std::optional<std::int64_t> deleted_ms, std::int64_t number) override {
        postgres_values v;
        v.add(std::string_view(seen.id)).add(sealed).add(sealed_with).add(deleted_ms).add(number);
        return had_row(database(),
                       "UPDATE provider_key SET sealed = $2, sealed_with = $3, deleted_ms = $4, change_number = $5 "
                       "WHERE id = $1 AND change_number = $6 RETURNING 1",
                       v.add(seen.change_number));
    }
};

}  // namespace

std::unique_ptr<provider_key_store> make_postgres_provider_key_store(postgres_database& database) {
    return std::make_unique<postgres_provider_key_store>(database);
}

}  // namespace concurred::storage
