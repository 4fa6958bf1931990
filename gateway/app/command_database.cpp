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

base::result<command_database> open_database(const base::config& settings, bool check_whole_file) {
    command_database all;
    if (!settings.postgres.url.empty()) {
        all.postgres = std::make_unique<storage::postgres_database>(settings.postgres.url);
        if (auto version = storage::migrate(*all.postgres); !version) {
            return std::move(version).error();
        }
        all.keys = storage::make_postgres_api_key_store(*all.postgres);
        all.usage = storage::make_postgres_usage_store(*all.postgres);
        all.provider_keys = storage::make_postgres_provider_key_store(*all.postgres);
        all.login_links = storage::make_postgres_login_link_store(*all.postgres);
        return all;
    }
    auto opened = storage::open_migrated(settings.storage.path, {}, check_whole_file);
    if (!opened) {
        return std::move(opened).error();
    }
    all.database = std::make_unique<storage::sqlite_database>(std::move(*opened));
    base::result<void> made;
    const auto take = [&made](auto store, auto& into) {
        if (!store) {
            made = std::move(store).error();
        } else {
            into = std::move(*store);
        }
    };
    take(storage::make_sqlite_api_key_store(*all.database), all.keys);
    take(storage::make_sqlite_usage_store(*all.database), all.usage);
    take(storage::make_sqlite_provider_key_store(*all.database), all.provider_keys);
    take(storage::make_sqlite_login_link_store(*all.database), all.login_links);
    return made ? base::result<command_database>(std::move(all)) : std::move(made).error();
}

}  // namespace concurred::app
