#pragma once

#include "gateway/base/error.hpp"
#include "storage/sqlite.hpp"

#include <string>

namespace concurred::storage {

/// The schema version this program writes: the number of migrations it knows.
[[nodiscard]] int latest_schema_version() noexcept;

/// Brings the schema to the latest version, in one transaction. Safe when several processes do it at the same time: one
/// migrates, the others wait. Without work to do it takes no lock.
/// @returns the version found before: 0 for a new file. Fails, and changes nothing, if the file belongs to another
/// program or was written by a newer version of this one.
[[nodiscard]] base::result<int> migrate(sqlite_database& database);

/// Opens the database the way the server and the commands do: `sqlite_database::open`, then `migrate`.
/// @param check also reads the whole file for damage, before anything is written; for the start of the server
[[nodiscard]] base::result<sqlite_database> open_migrated(std::string path, const sqlite_options& options = {},
                                                          bool check = true);

}  // namespace concurred::storage
