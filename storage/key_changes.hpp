#pragma once

#include "gateway/base/error.hpp"
#include "storage/api_key_store.hpp"

#include <cstdint>
#include <memory>
#include <vector>

namespace concurred::storage {

class sqlite_database;

/// Learns which keys others changed: the command line, another server on the same database. Polled on the database
/// thread; the time between two polls bounds how long a key revoked elsewhere is still accepted here.
class key_changes {
public:
    virtual ~key_changes() = default;

    /// Cheap when nothing happened.
    /// @returns the keys inserted, changed or revoked by another connection since the last call (since the construction
    /// the first time), in the order of change; changes of this connection may be among them. After an error the next
    /// call reports what this one would have.
    [[nodiscard]] virtual base::result<std::vector<api_key_row>> poll() = 0;
};

/// The keys that were changed after change number `cursor`, which is moved to the last of them.
[[nodiscard]] base::result<std::vector<api_key_row>> read_changes(api_key_store& store, std::uint64_t& cursor);

/// @param database the connection of `store`
/// @param store both outlive the poller
[[nodiscard]] base::result<std::unique_ptr<key_changes>> make_sqlite_key_changes(sqlite_database& database,
                                                                                 api_key_store& store);

}  // namespace concurred::storage
