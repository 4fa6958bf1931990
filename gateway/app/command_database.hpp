#pragma once

#include "gateway/base/config.hpp"
#include "gateway/base/error.hpp"
#include "storage/api_key_store.hpp"
#include "storage/login_link_store.hpp"
#include "storage/postgres.hpp"
#include "storage/provider_key_store.hpp"
#include "storage/sqlite.hpp"
#include "storage/usage_store.hpp"

#include <memory>
#include <string>

namespace concurred::app {

/// Whether there is no file yet where the configuration has the database.
[[nodiscard]] bool database_is_missing(const base::config& settings);

/// Says on stderr that there is no database yet, and how one comes to be.
/// @return exit_failure
int complain_of_missing_database(const base::config& settings);

/// The configuration's database, PostgreSQL or the SQLite file, and all that is kept in it.
struct command_database {
    std::unique_ptr<storage::sqlite_database> database;    ///< first: the stores refer to it; null with PostgreSQL
    std::unique_ptr<storage::postgres_database> postgres;  ///< null without
    std::unique_ptr<storage::api_key_store> keys;
    std::unique_ptr<storage::usage_store> usage;
    std::unique_ptr<storage::provider_key_store> provider_keys;
    std::unique_ptr<storage::login_link_store> login_links;
};

/// Opens the database, beside a server that may be running, and brings its schema up to date. Makes file and folder
/// when missing. @param check_whole_file read the file once to see whether it is sound: for the start of a server
[[nodiscard]] base::result<command_database> open_database(const base::config& settings, bool check_whole_file = false);

}  // namespace concurred::app
