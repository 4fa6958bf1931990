#include "storage/migrations.hpp"

#include <array>
#include <string>
#include <utility>

namespace concurred::storage {

namespace {

// Never edited once released: a change of the schema is a new entry at the end.
constexpr std::array<const char*, 5> migrations{{
    // 1. A change number is drawn from change_counter by every transaction that writes api_key. Its row stays locked
    // until
    // the commit, so numbers become visible in order and a reader that has seen n has seen all before n.
    R"sql(
CREATE TABLE change_counter (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    value INTEGER NOT NULL
) STRICT;
INSERT INTO change_counter VALUES (1, 0);

CREATE TABLE api_key (
    id TEXT NOT NULL PRIMARY KEY,
    hash TEXT NOT NULL UNIQUE,
    start TEXT NOT NULL,
    name TEXT NOT NULL,
    owner_id TEXT NOT NULL,
    enabled INTEGER NOT NULL,
    expires_ms INTEGER,
    rate_limit INTEGER NOT NULL CHECK (rate_limit > 0),
    rate_window_ms INTEGER NOT NULL CHECK (rate_window_ms > 0),
    meta TEXT NOT NULL,
    permissions TEXT NOT NULL,
    created_ms INTEGER NOT NULL,
    updated_ms INTEGER NOT NULL,
    deleted_ms INTEGER,
    last_used_ms INTEGER,
    change_number INTEGER NOT NULL
) STRICT;
CREATE INDEX api_key_by_owner ON api_key (owner_id, created_ms, id);
CREATE INDEX api_key_by_change ON api_key (change_number);

CREATE TABLE usage_daily (
    owner TEXT NOT NULL,
    day INTEGER NOT NULL,
    key_id TEXT NOT NULL,
    model TEXT NOT NULL,
    provider TEXT NOT NULL,
    byok INTEGER NOT NULL,
    requests INTEGER NOT NULL,
    failed INTEGER NOT NULL,
    errors INTEGER NOT NULL,
    prompt_tokens INTEGER NOT NULL,
    cache_read_tokens INTEGER NOT NULL,
    cache_write_tokens INTEGER NOT NULL,
    completion_tokens INTEGER NOT NULL,
    reasoning_tokens INTEGER NOT NULL,
    cost_nano_usd INTEGER NOT NULL,
    unpriced_requests INTEGER NOT NULL,
    estimated_requests INTEGER NOT NULL,
    PRIMARY KEY (owner, day, key_id, model, provider, byok)
) STRICT, WITHOUT ROWID;
CREATE INDEX usage_daily_by_key ON usage_daily (key_id, day);
CREATE INDEX usage_daily_by_day ON usage_daily (day);

CREATE TABLE usage_source (
    source BLOB NOT NULL PRIMARY KEY,
    applied INTEGER NOT NULL,
    last_day INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
)sql",
    // 2. One row for each request: what makes a record count once. Ids begin with the time, so that rows are added at
    // one end and removed at the other.
    R"sql(
DROP TABLE usage_source;
CREATE TABLE usage_event (
    event_id BLOB NOT NULL PRIMARY KEY,
    day INTEGER NOT NULL,
    admitted_ms INTEGER NOT NULL,
    status INTEGER NOT NULL,
    ended INTEGER NOT NULL,
    byok INTEGER NOT NULL,
    stream INTEGER NOT NULL,
    estimated INTEGER NOT NULL,
    priced INTEGER NOT NULL,
    price_version INTEGER NOT NULL,
    prompt_tokens INTEGER NOT NULL,
    cache_read_tokens INTEGER NOT NULL,
    cache_write_tokens INTEGER NOT NULL,
    completion_tokens INTEGER NOT NULL,
    reasoning_tokens INTEGER NOT NULL,
    reserved_tokens INTEGER NOT NULL,
    cost_nano_usd INTEGER NOT NULL,
    latency_ms INTEGER NOT NULL,
    first_token_ms INTEGER NOT NULL,
    owner TEXT NOT NULL,
    key_id TEXT NOT NULL,
    endpoint TEXT NOT NULL,
    provider TEXT NOT NULL,
    model_requested TEXT NOT NULL,
    model TEXT NOT NULL,
    upstream_request_id TEXT NOT NULL
) STRICT, WITHOUT ROWID;
)sql",
    // 3. Limits of a key besides requests; 0: none.
    R"sql(
ALTER TABLE api_key ADD COLUMN token_limit INTEGER NOT NULL DEFAULT 0 CHECK (token_limit >= 0);
ALTER TABLE api_key ADD COLUMN concurrency INTEGER NOT NULL DEFAULT 0 CHECK (concurrency >= 0);
ALTER TABLE api_key ADD COLUMN budget_day_nano_usd INTEGER NOT NULL DEFAULT 0 CHECK (budget_day_nano_usd >= 0);
ALTER TABLE api_key ADD COLUMN budget_month_nano_usd INTEGER NOT NULL DEFAULT 0 CHECK (budget_month_nano_usd >= 0);
)sql",
    // 4. Provider keys of owners, sealed; their changes are numbered like those of API keys. A deleted row stays,
    // without
    // its secret, for those who follow the changes. One-time links for signing in.
    R"sql(
CREATE TABLE provider_key (
    id TEXT NOT NULL PRIMARY KEY,
    owner_id TEXT NOT NULL,
    provider TEXT NOT NULL,
    slug TEXT NOT NULL,
    display_name TEXT NOT NULL,
    last_four TEXT NOT NULL,
    sealed TEXT NOT NULL,
    sealed_with TEXT NOT NULL,
    created_ms INTEGER NOT NULL,
    deleted_ms INTEGER,
    change_number INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX provider_key_by_slug ON provider_key (owner_id, slug) WHERE deleted_ms IS NULL;
CREATE INDEX provider_key_by_change ON provider_key (change_number);

CREATE TABLE secret_canary (
    sealed_with TEXT NOT NULL PRIMARY KEY,
    sealed TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE login_link (
    hash TEXT NOT NULL PRIMARY KEY,
    owner_id TEXT NOT NULL,
    expires_ms INTEGER NOT NULL,
    used_ms INTEGER
) STRICT, WITHOUT ROWID;
)sql",
    // 5. Single requests as they are packed for the spool (see usage_codec), each in a place that follows from its id
    // (see sqlite_usage_store): a third of the work. The sums stay.
    R"sql(
DROP TABLE usage_event;
CREATE TABLE usage_event (
    slot INTEGER NOT NULL PRIMARY KEY,
    record BLOB NOT NULL
) STRICT;
)sql",
}};

base::error refuse(const sqlite_database& database, std::string why) {
    return base::gateway_error(base::errc::internal, "database '" + database.path() + "': " + std::move(why));
}

base::result<int> read_version(sqlite_database& database) {
    auto version = database.integer("PRAGMA user_version");
    if (!version) {
        return std::move(version).error();
    }
    if (*version > latest_schema_version()) {
        return refuse(database,
                      "its schema version is " + std::to_string(*version) + ", this program knows versions up to " +
                          std::to_string(latest_schema_version()) +
                          "; run the newer program that wrote it, or restore a backup from before its upgrade");
    }
    return static_cast<int>(*version);
}

/// Whether the tables fit the version: a header with the number wiped out must not look like a new file.
base::result<void> check_version(sqlite_database& database, int version) {
    auto tables = database.integer("SELECT count(*) FROM sqlite_schema");
    if (!tables) {
        return std::move(tables).error();
    }
    if (version < 0 || (version == 0) != (*tables == 0)) {
        return refuse(database,
                      "its schema version " + std::to_string(version) + " is not valid; restore it from a backup");
    }
    return {};
}

}  // namespace

int latest_schema_version() noexcept {
    return static_cast<int>(migrations.size());
}

base::result<int> migrate(sqlite_database& database) {
    auto before = read_version(database);
    if (!before || *before == latest_schema_version()) {
        return before;
    }
    auto transaction = sqlite_transaction::begin(database);
    if (!transaction) {
        return std::move(transaction).error();
    }
    // Again, now under the write lock: another process may have been first.
    before = read_version(database);
    if (!before || *before == latest_schema_version()) {
        return before;
    }
    if (auto valid = check_version(database, *before); !valid) {
        return std::move(valid).error();
    }
    for (auto next = static_cast<std::size_t>(*before); next < migrations.size(); ++next) {
        if (auto done = database.execute(migrations[next]); !done) {
            return std::move(done).error();
        }
    }
    const std::string mark = "PRAGMA application_id=" + std::to_string(sqlite_application_id) +
                             "; PRAGMA user_version=" + std::to_string(latest_schema_version());
    if (auto marked = database.execute(mark.c_str()); !marked) {
        return std::move(marked).error();
    }
    if (auto committed = transaction->commit(); !committed) {
        return std::move(committed).error();
    }
    return before;
}

base::result<sqlite_database> open_migrated(std::string path, const sqlite_options& options, bool check) {
    auto database = sqlite_database::open(std::move(path), options);
    if (!database) {
        return database;
    }
    if (check) {
        if (auto sound = database->quick_check(); !sound) {
            return std::move(sound).error();
        }
    }
    if (auto version = migrate(*database); !version) {
        return std::move(version).error();
    }
    return database;
}

}  // namespace concurred::storage
