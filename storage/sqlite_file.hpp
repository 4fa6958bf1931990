#pragma once

#include "gateway/base/error.hpp"

#include <string>

namespace concurred::storage {

/// Makes sure that the database file `path` is there, before SQLite would create it with the permissions of the umask:
/// a new file has mode 0600, a new folder 0700. An existing file is left alone.
/// @param create false: a missing file is an error
/// @returns an error that names the path and says what is wrong with it
[[nodiscard]] base::result<void> prepare_database_file(const std::string& path, bool create);

}  // namespace concurred::storage
