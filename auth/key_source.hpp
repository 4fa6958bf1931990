#pragma once

#include "auth/key_answer.hpp"
#include "crypto/digest.hpp"
#include "crypto/secret_string.hpp"
#include "gateway/base/error.hpp"
#include "gateway/base/executor.hpp"
#include "storage/api_key_store.hpp"
#include "storage/database_thread.hpp"

#include <memory>

namespace concurred::auth {

/// Where keys that no cache knows are looked up.
class key_source {
public:
    key_source() = default;
    key_source(const key_source&) = delete;
    key_source& operator=(const key_source&) = delete;
    virtual ~key_source() = default;

    /// Completes on the caller's shard with what is known about the key.
    /// @param digest SHA-256 of the full key. @param key the key itself, for services that want to see it. Both outlive
    /// the call.
    /// @param known the caller has seen the key valid not long ago: it is served before keys that nobody knows.
    /// Errors: errc::service_unavailable when the source cannot answer. That says nothing about the key.
    [[nodiscard]] virtual base::task<base::result<key_answer>> find(const crypto::digest256& digest,
                                                                    const crypto::secret_string& key, bool known) = 0;
};

/// The error of a source that cannot answer. Known keys go on; of others nobody can say that they are bad.
[[nodiscard]] base::error keys_unavailable(const base::error& cause);

/// The embedded store, read on the database thread. Both outlive the source.
[[nodiscard]] std::unique_ptr<key_source> make_local_key_source(base::executor shard, storage::database_thread& thread,
                                                                storage::api_key_store& keys);

}  // namespace concurred::auth
