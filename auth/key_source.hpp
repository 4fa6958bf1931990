#pragma once

#include "crypto/digest.hpp"
#include "gateway/base/error.hpp"
#include "gateway/base/executor.hpp"
#include "storage/api_key_store.hpp"
#include "storage/database_thread.hpp"

#include <memory>
#include <optional>

namespace concurred::auth {

/// Where keys that no cache knows are looked up.
class key_source {
public:
    key_source() = default;
    key_source(const key_source&) = delete;
    key_source& operator=(const key_source&) = delete;
    virtual ~key_source() = default;

    /// Completes on the caller's shard with the key, disabled and expired ones too, or nullopt for one that does not
    /// exist.
    /// @param key SHA-256 of the full key.
    /// Errors: errc::service_unavailable when the source cannot answer. That says nothing about the key.
    [[nodiscard]] virtual base::task<base::result<std::optional<storage::api_key_row>>> find(crypto::digest256 key) = 0;
};

/// The embedded store, read on the database thread. Both outlive the source.
[[nodiscard]] std::unique_ptr<key_source> make_local_key_source(base::executor shard, storage::database_thread& thread,
                                                                storage::api_key_store& keys);

}  // namespace concurred::auth
