#include "gateway/app/migrate_command.hpp"

#include "gateway/app/console.hpp"
#include "gateway/app/exit_code.hpp"
#include "storage/migrations.hpp"
#include "storage/postgres.hpp"
#include "storage/sqlite.hpp"

#include <string>

namespace concurred::app {

namespace {

std::string outcome(const std::string& what, int before, int now) {
    return what +
           (before == now ? ": up to date, version " + std::to_string(now)
                          : ": version " + std::to_string(before) + " -> " + std::to_string(now)) +
           "\n";
}

}  // namespace

int migrate_databases(const migrate_options& options) {
    const auto loaded = load_or_complain(options.config);
    if (!loaded) {
        return exit_configuration;
    }
    const base::config& settings = *loaded->values;
    if (!settings.postgres.url.empty()) {
        storage::postgres_database server(settings.postgres.url);
        const auto postgres = storage::migrate(server);
        if (!postgres) {
            return complain(postgres.error());
        }
        say(outcome("PostgreSQL", *postgres, storage::latest_postgres_version()));
        return exit_ok;
    }
    auto file = storage::sqlite_database::open(settings.storage.path, {});
    if (!file) {
        return complain(file.error());
    }
    const auto sqlite = storage::migrate(*file);
    if (!sqlite) {
        return complain(sqlite.error());
    }
    say(outcome(settings.storage.path, *sqlite, storage::latest_schema_version()));
    return exit_ok;
}

}  // namespace concurred::app
