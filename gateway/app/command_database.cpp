#include "gateway/app/command_database.hpp"

#include "gateway/app/console.hpp"
#include "gateway/app/exit_code.hpp"
#include "storage/migrations.hpp"
#include "storage/postgres_api_key_store.hpp"
#include "storage/postgres_usage_store.hpp"

#include <unistd.h>

#include <cerrno>
#include <utility>

namespace concurred::app {

bool database_is_missing(const base::config& settings) {
    return settings.postgres.url.empty() && ::access(settings.storage.path.c_str(), F_OK) != 0 &&
           (errno == ENOENT || errno == ENOTDIR);
}

int complain_of_missing_database(const base::config& settings) {
    complain(exit_failure, "there is no database yet at '" + settings.storage.path + "'");
    remark(
        "'concurred keys create --name NAME' makes it with the first key, 'concurred serve' without one. "
        "If it is elsewhere, say so with --config or --set storage.path=FILE.");
    return exit_failure;
}

base::result<command_database> open_database(const base::config& settings) {
    command_database all;
    if (!settings.postgres.url.empty()) {
        all.postgres = std::make_unique<storage::postgres_database>(settings.postgres.url);
        if (auto version = storage::migrate(*all.postgres); !version) {
            return std::move(version).error();
        }
        all.keys = storage::make_postgres_api_key_store(*all.postgres);
        all.usage = storage::make_postgres_usage_store(*all.postgres);
        return all;
    }
    constexpr bool check_whole_file = false;
    auto opened = storage::open_migrated(settings.storage.path, {}, check_whole_file);
    if (!opened) {
        return std::move(opened).error();
    }
    all.database = std::make_unique<storage::sqlite_database>(std::move(*opened));
    auto keys = storage::make_sqlite_api_key_store(*all.database);
    if (!keys) {
        return std::move(keys).error();
    }
    all.keys = std::move(*keys);
    auto usage = storage::make_sqlite_usage_store(*all.database);
    if (!usage) {
        return std::move(usage).error();
    }
    all.usage = std::move(*usage);
    return all;
}

}  // namespace concurred::app
