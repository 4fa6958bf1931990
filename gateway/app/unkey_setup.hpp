#pragma once

#include "auth/key_record.hpp"
#include "auth/unkey_client.hpp"
#include "crypto/key_ring.hpp"
#include "crypto/openssl_handles.hpp"
#include "gateway/base/config.hpp"
#include "gateway/base/logger.hpp"
#include "gateway/net/resolver.hpp"

namespace concurred::app {

/// Keys are at Unkey's, not in the embedded store.
[[nodiscard]] inline bool uses_unkey(const base::config& settings) noexcept {
    return !settings.unkey.verify_key.empty();
}

/// The TLS context of the way to Unkey; null when that has none. Errors: in words for the operator.
[[nodiscard]] base::result<crypto::ssl_ctx_handle> make_unkey_tls(const base::config& settings);

/// How replicas write to each other of keys, in Redis: with what all of them have, and nobody who has only Redis. The
/// active master key, or without one the root key that verifies.
[[nodiscard]] auth::key_record_codec make_record_codec(const base::config& settings, const crypto::key_ring& master);

/// Where Unkey is and how it is called. All references outlive the client that is made of it. The URL was checked with
/// the configuration.
[[nodiscard]] auth::unkey_client::params unkey_params(const base::config& settings, base::executor shard,
                                                      base::timing_wheel& wheel, net::resolver& resolver, SSL_CTX* tls,
                                                      base::logger& log, unsigned shards);

}  // namespace concurred::app
