#include "gateway/app/command_database.hpp"

#include "gateway/app/console.hpp"
#include "gateway/app/exit_code.hpp"
#include "storage/migrations.hpp"

#include <unistd.h>

#include <cerrno>
#include <utility>

namespace concurred::app {

bool database_is_missing(const base::config& settings) {
    return ::access(settings.storage.path.c_str(), F_OK) != 0 && (errno == ENOENT || errno == ENOTDIR);
}

int complain_of_missing_database(const base::config& settings) {
    complain(exit_failure, "there is no database yet at '" + settings.storage.path + "'");
    remark(
        "'concurred keys create --name NAME' makes it with the first key, 'concurred serve' without one. "
        "If it is elsewhere, say so with --config or --set storage.path=FILE.");
    return exit_failure;
}

base::result<command_database> open_database(const base::config& settings) {
    constexpr bool check_whole_file = false;
    auto opened = storage::open_migrated(settings.storage.path, {}, check_whole_file);
    if (!opened) {
        return std::move(opened).error();
    }
    auto database = std::make_unique<storage::sqlite_database>(std::move(*opened));
    auto keys = storage::make_sqlite_api_key_store(*database);
    if (!keys) {
        return std::move(keys).error();
    }
    return command_database{std::move(database), std::move(*keys)};
}

}  // namespace concurred::app
