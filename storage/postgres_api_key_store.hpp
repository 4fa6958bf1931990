#pragma once

#include "storage/api_key_store.hpp"
#include "storage/key_changes.hpp"

#include <memory>

namespace concurred::storage {

class postgres_database;

/// @param database migrated; outlives the store
[[nodiscard]] std::unique_ptr<api_key_store> make_postgres_api_key_store(postgres_database& database);

/// Asks for the number of the last change at each poll.
/// @param store outlives the poller
[[nodiscard]] base::result<std::unique_ptr<key_changes>> make_postgres_key_changes(api_key_store& store);

}  // namespace concurred::storage
