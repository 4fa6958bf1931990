#pragma once

#include "auth/key_record.hpp"
#include "auth/shared_key_cache.hpp"
#include "storage/api_key_store.hpp"

namespace concurred::auth {

/// Writes what a key has become where all replicas look before they ask the key service, which may still tell the old
/// state: a mark of the key, under a new change number, and its record, if any replica has one. Source: identity.md
/// 2.4. All outlive it.
class replica_notes {
public:
    replica_notes(shared_key_cache& cache, const key_record_codec& codec) noexcept : cache_(cache), codec_(codec) {}

    /// To be called after the change is made and before anybody is told of it.
    /// @return false: the store did not take all of it; once more does no harm
    [[nodiscard]] base::task<bool> write(storage::api_key_row row);

private:
    shared_key_cache& cache_;
    const key_record_codec& codec_;
};

}  // namespace concurred::auth
