#include "storage/postgres.hpp"

#include <array>
#include <string>

namespace concurred::storage {

namespace {

// Never edited once released: a change of the schema is a new entry at the end.
constexpr std::array<const char*, 2> migrations{{
    // 1. As in SQLite, but that single requests lie in a part of the table for each month (see postgres_usage_store).
    // Days are days since 1970-01-01. Texts are compared octet by octet, so that all stores sort alike.
    R"sql(
CREATE TABLE change_counter (id integer PRIMARY KEY CHECK (id = 1), value bigint NOT NULL);
INSERT INTO change_counter VALUES (1, 0);

CREATE TABLE api_key (
    id text COLLATE "C" PRIMARY KEY,
    hash text COLLATE "C" NOT NULL UNIQUE,
    start text NOT NULL,
    name text NOT NULL,
    owner_id text COLLATE "C" NOT NULL,
    enabled boolean NOT NULL,
    expires_ms bigint,
    rate_limit bigint NOT NULL CHECK (rate_limit > 0),
    rate_window_ms bigint NOT NULL CHECK (rate_window_ms > 0),
    meta text NOT NULL,
    permissions text NOT NULL,
    created_ms bigint NOT NULL,
    updated_ms bigint NOT NULL,
    deleted_ms bigint,
    last_used_ms bigint,
    change_number bigint NOT NULL,
    token_limit bigint NOT NULL DEFAULT 0 CHECK (token_limit >= 0),
    concurrency bigint NOT NULL DEFAULT 0 CHECK (concurrency >= 0),
    budget_day_nano_usd bigint NOT NULL DEFAULT 0 CHECK (budget_day_nano_usd >= 0),
    budget_month_nano_usd bigint NOT NULL DEFAULT 0 CHECK (budget_month_nano_usd >= 0)
);
CREATE INDEX api_key_by_owner ON api_key (owner_id, created_ms, id);
CREATE INDEX api_key_by_change ON api_key (change_number);

CREATE TABLE usage_daily (
    owner text COLLATE "C" NOT NULL,
    day integer NOT NULL,
    key_id text COLLATE "C" NOT NULL,
    model text COLLATE "C" NOT NULL,
    provider text COLLATE "C" NOT NULL,
    byok boolean NOT NULL,
    requests bigint NOT NULL,
    failed bigint NOT NULL,
    errors bigint NOT NULL,
    prompt_tokens bigint NOT NULL,
    cache_read_tokens bigint NOT NULL,
    cache_write_tokens bigint NOT NULL,
    completion_tokens bigint NOT NULL,
    reasoning_tokens bigint NOT NULL,
    cost_nano_usd bigint NOT NULL,
    unpriced_requests bigint NOT NULL,
    estimated_requests bigint NOT NULL,
    PRIMARY KEY (owner, day, key_id, model, provider, byok)
) WITH (fillfactor = 70);
CREATE INDEX usage_daily_by_key ON usage_daily (key_id, day);
CREATE INDEX usage_daily_by_day ON usage_daily (day);

CREATE TABLE usage_event (
    event_id uuid NOT NULL,
    day integer NOT NULL,
    admitted_ms bigint NOT NULL,
    status integer NOT NULL,
    ended integer NOT NULL,
    byok boolean NOT NULL,
    stream boolean NOT NULL,
    estimated boolean NOT NULL,
    priced boolean NOT NULL,
    price_version bigint NOT NULL,
    prompt_tokens bigint NOT NULL,
    cache_read_tokens bigint NOT NULL,
    cache_write_tokens bigint NOT NULL,
    completion_tokens bigint NOT NULL,
    reasoning_tokens bigint NOT NULL,
    reserved_tokens bigint NOT NULL,
    cost_nano_usd bigint NOT NULL,
    latency_ms bigint NOT NULL,
    first_token_ms bigint NOT NULL,
    owner text COLLATE "C" NOT NULL,
    key_id text COLLATE "C" NOT NULL,
    endpoint text NOT NULL,
    provider text COLLATE "C" NOT NULL,
    model_requested text NOT NULL,
    model text COLLATE "C" NOT NULL,
    upstream_request_id text NOT NULL,
    PRIMARY KEY (day, event_id)
) PARTITION BY RANGE (day);
CREATE TABLE usage_event_rest PARTITION OF usage_event DEFAULT;
)sql",
    // 2. Provider keys of owners, sealed, and links for signing in, as in SQLite.
    R"sql(
CREATE TABLE provider_key (
    id text COLLATE "C" PRIMARY KEY,
    owner_id text COLLATE "C" NOT NULL,
    provider text NOT NULL,
    slug text COLLATE "C" NOT NULL,
    display_name text NOT NULL,
    last_four text NOT NULL,
    sealed text NOT NULL,
    sealed_with text COLLATE "C" NOT NULL,
    created_ms bigint NOT NULL,
    deleted_ms bigint,
    change_number bigint NOT NULL
);
CREATE UNIQUE INDEX provider_key_by_slug ON provider_key (owner_id, slug) WHERE deleted_ms IS NULL;
CREATE INDEX provider_key_by_change ON provider_key (change_number);

CREATE TABLE secret_canary (sealed_with text COLLATE "C" PRIMARY KEY, sealed text NOT NULL);

CREATE TABLE login_link (
    hash text COLLATE "C" PRIMARY KEY,
    owner_id text NOT NULL,
    expires_ms bigint NOT NULL,
    used_ms bigint
);
)sql",
}};

// Of all our migrations: any number that others do not use.
constexpr const char* take_lock = "SELECT pg_advisory_xact_lock(1128613719)";

}  // namespace

int latest_postgres_version() noexcept {
    return static_cast<int>(migrations.size());
}

base::result<int> migrate(postgres_database& database) {
    auto transaction = postgres_transaction::begin(database);
    if (!transaction) {
        return std::move(transaction).error();
    }
    if (auto locked = database.run(take_lock); !locked) {
        return std::move(locked).error();
    }
    if (auto made = database.run_all("CREATE TABLE IF NOT EXISTS concurred_schema (version integer NOT NULL)"); !made) {
        return std::move(made).error();
    }
    auto found = database.run("SELECT coalesce(max(version), 0) FROM concurred_schema");
    if (!found) {
        return std::move(found).error();
    }
    const auto before = static_cast<int>(found->integer(0, 0));
    if (before > latest_postgres_version()) {
        return base::gateway_error(base::errc::internal, "PostgreSQL: the schema version is " + std::to_string(before) +
                                                             ", this program knows versions up to " +
                                                             std::to_string(latest_postgres_version()) +
                                                             "; run the newer program");
    }
    for (auto next = static_cast<std::size_t>(before); next < migrations.size(); ++next) {
        if (auto done = database.run_all(migrations[next]); !done) {
            return std::move(done).error();
        }
    }
    if (before != latest_postgres_version()) {
        postgres_values version;
        version.add(latest_postgres_version());
        if (auto marked = database.run("INSERT INTO concurred_schema VALUES ($1)", version); !marked) {
            return std::move(marked).error();
        }
    }
    if (auto committed = transaction->commit(); !committed) {
        return std::move(committed).error();
    }
    return before;
}

}  // namespace concurred::storage
