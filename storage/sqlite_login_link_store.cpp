#include "storage/login_link_store.hpp"
#include "storage/sqlite.hpp"

#include <utility>

namespace concurred::storage {

namespace {

constexpr std::int64_t day_ms = 86'400'000;

class sqlite_login_link_store final : public login_link_store {
public:
    explicit sqlite_login_link_store(sqlite_database& database) noexcept : database_(database) {}

    base::result<void> prepare() {
        // The newest stays, so that there has been one.
        return prepare_one(forget_,
                           "DELETE FROM login_link WHERE expires_ms < ?1 AND hash NOT IN "
                           "(SELECT hash FROM login_link ORDER BY expires_ms DESC LIMIT 1)") &&
                       prepare_one(insert_,
                                   "INSERT INTO login_link (hash, owner_id, expires_ms) VALUES (?1, ?2, ?3)") &&
                       prepare_one(take_,
                                   "UPDATE login_link SET used_ms = ?2 WHERE hash = ?1 AND used_ms IS NULL AND "
                                   "expires_ms > ?2 RETURNING owner_id") &&
                       prepare_one(any_, "SELECT 1 FROM login_link LIMIT 1")
                   ? base::result<void>()
                   : base::result<void>(std::move(failure_));
    }

    base::result<void> insert(std::string_view hash, std::string_view owner, std::int64_t now_ms,
                              std::int64_t expires_ms) override {
        {
            sqlite_query forget(forget_);
            forget.bind(now_ms - day_ms);
            if (auto done = forget.run(); !done) {
                return done;
            }
        }
        sqlite_query query(insert_);
        query.bind(hash).bind(owner).bind(expires_ms);
        return query.run();
    }

    base::result<std::optional<std::string>> take(std::string_view hash, std::int64_t now_ms) override {
        sqlite_query query(take_);
        query.bind(hash).bind(now_ms);
        auto found = query.next();
        if (!found) {
            return std::move(found).error();
        }
        if (!*found) {
            return std::optional<std::string>();
        }
        std::string owner(query.text(0));
        if (auto done = query.run(); !done) {
            return std::move(done).error();
        }
        return std::optional(std::move(owner));
    }

    base::result<bool> any() override {
        sqlite_query query(any_);
        return query.next();
    }

private:
    bool prepare_one(sqlite_statement& to, std::string_view text) {
        auto prepared = database_.prepare(text);
        if (!prepared) {
            failure_ = std::move(prepared).error();
            return false;
        }
        to = std::move(*prepared);
        return true;
    }

    sqlite_database& database_;
    sqlite_statement forget_, insert_, take_, any_;
    base::error failure_;
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
