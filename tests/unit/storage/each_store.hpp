#pragma once

#include "storage/key_changes.hpp"
#include "storage/login_link_store.hpp"
#include "storage/postgres.hpp"
#include "storage/postgres_api_key_store.hpp"
#include "storage/postgres_usage_store.hpp"
#include "storage/provider_key_store.hpp"
#include "tests/unit/storage/support.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <cstdlib>
#include <functional>
#include <memory>
#include <string>

namespace concurred::storage::test {

/// One connection and its stores.
struct stores {
    std::unique_ptr<sqlite_database> sqlite;
    std::unique_ptr<postgres_database> postgres;
    std::unique_ptr<api_key_store> keys;
    std::unique_ptr<usage_store> usage;
    std::unique_ptr<provider_key_store> provider_keys;
    std::unique_ptr<login_link_store> login_links;
    std::unique_ptr<key_changes> changes;

    usage_sums totals() { return usage->query({.from_day = 0, .to_day = 100'000}).value().totals; }
};

using opener = std::function<stores()>;

inline stores open_sqlite(const std::string& path) {
    stores s;
    auto options = quick_options();
    options.busy_timeout = std::chrono::milliseconds(2'000);
    s.sqlite = std::make_unique<sqlite_database>(open_migrated(path, options).value());
    s.keys = make_sqlite_api_key_store(*s.sqlite).value();
    s.usage = make_sqlite_usage_store(*s.sqlite).value();
    s.provider_keys = make_sqlite_provider_key_store(*s.sqlite).value();
    s.login_links = make_sqlite_login_link_store(*s.sqlite).value();
    s.changes = make_sqlite_key_changes(*s.sqlite, *s.keys).value();
    return s;
}

inline stores open_postgres(const std::string& url) {
    stores s;
    s.postgres = std::make_unique<postgres_database>(url);
    const auto version = migrate(*s.postgres);
    REQUIRE(version.has_value());
    s.keys = make_postgres_api_key_store(*s.postgres);
    s.usage = make_postgres_usage_store(*s.postgres);
    s.provider_keys = make_postgres_provider_key_store(*s.postgres);
    s.login_links = make_postgres_login_link_store(*s.postgres);
    s.changes = make_postgres_key_changes(*s.keys).value();
    return s;
}

/// Runs `test` against each kind of store, each time with an empty database: SQLite always; PostgreSQL where
/// CONCURRED_TEST_POSTGRES names a database that may be emptied (tests/integration/postgres_test.py starts one and runs
/// the suites whose names begin with storage/store_contract).
inline void with_each(const std::function<void(const opener&)>& test) {
    {
        INFO("SQLite");
        const temp_folder folder;
        test([&] { return open_sqlite(folder.file("c.db")); });
    }
    if (const char* const url = std::getenv("CONCURRED_TEST_POSTGRES"); url != nullptr) {
        INFO("PostgreSQL");
        postgres_database database(url);
        REQUIRE(database.run_all("DROP SCHEMA public CASCADE; CREATE SCHEMA public").has_value());
        test([&] { return open_postgres(url); });
    }
}

}  // namespace concurred::storage::test
