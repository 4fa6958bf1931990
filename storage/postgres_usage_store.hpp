#pragma once

#include "storage/usage_store.hpp"

#include <memory>

namespace concurred::storage {

class postgres_database;

/// Usage in PostgreSQL. Single requests lie in a table for each month, made three months ahead and dropped whole when
/// they are old; what belongs to no such month lies in `usage_event_rest`.
/// @param database migrated; outlives the store
[[nodiscard]] std::unique_ptr<usage_store> make_postgres_usage_store(postgres_database& database);

}  // namespace concurred::storage
