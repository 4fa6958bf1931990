#include "storage/login_link_store.hpp"
#include "storage/postgres_rows.hpp"

namespace concurred::storage {

namespace {

class postgres_login_link_store final : public login_link_store {
public:
    explicit postgres_login_link_store(postgres_database& database) noexcept : database_(database) {}

    base::result<void> insert(std::string_view hash, std::string_view owner, std::int64_t now_ms,
                              std::int64_t expires_ms) override {
        postgres_values old;
        // The newest stays, so that there has been one.
        auto forgotten = execute(database_,
                                 "DELETE FROM login_link WHERE expires_ms < $1 AND hash NOT IN "
                                 "(SELECT hash FROM login_link ORDER BY expires_ms DESC LIMIT 1)",
                                 old.add(now_ms - kept_login_links_ms));
        if (!forgotten) {
            return forgotten;
        }
        postgres_values values;
        return execute(database_,
                       "INSERT INTO login_link (hash, owner_id, expires_ms) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
                       values.add(hash).add(owner).add(expires_ms));
    }

    base::result<std::optional<std::string>> take(std::string_view hash, std::int64_t now_ms) override {
        // In a transaction, so that it is not sent a second time over a new connection: a link is taken once, and the
        // second time would say that it was not.
        auto transaction = postgres_transaction::begin(database_);
        if (!transaction) {
            return std::move(transaction).error();
        }
        postgres_values values;
        auto owner =
            first_row(database_,
                      "UPDATE login_link SET used_ms = $2 WHERE hash = $1 AND used_ms IS NULL AND "
                      "expires_ms > $2 RETURNING owner_id",
                      values.add(hash).add(now_ms), [](const postgres_row& row) { return std::string(row.text(0)); });
        if (!owner) {
            return owner;
        }
        if (auto committed = transaction->commit(); !committed) {
            return std::move(committed).error();
        }
        return owner;
    }

    base::result<bool> any() override { return had_row(database_, "SELECT 1 FROM login_link LIMIT 1", {}); }

private:
    postgres_database& database_;
};

}  // namespace

std::unique_ptr<login_link_store> make_postgres_login_link_store(postgres_database& database) {
    return std::make_unique<postgres_login_link_store>(database);
}

}  // namespace concurred::storage
