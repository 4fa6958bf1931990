#pragma once

#include "gateway/base/error.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace concurred::storage {

class sqlite_database;

/// Rows in memory that SQLite reads as the table `usage_batch (slot, record)`, so that one statement inserts all of
/// them: binding, starting and ending a statement for each costs more than the insertion.
class usage_batch_table {
public:
    struct row {
        std::int64_t slot;
        std::span<const std::uint8_t> record;
    };

    /// Makes the table known to one connection, instead of one that was made known before.
    /// @returns the table; it belongs to the connection
    [[nodiscard]] static base::result<usage_batch_table*> install(sqlite_database& database);

    /// What the next statements read. The octets outlive them.
    std::vector<row> rows;
};

}  // namespace concurred::storage
