#pragma once

#include "auth/address_limits.hpp"
#include "auth/key_cache.hpp"
#include "auth/key_overrides.hpp"
#include "auth/key_state.hpp"
#include "auth/limits.hpp"
#include "crypto/key_ring.hpp"
#include "crypto/openssl_handles.hpp"
#include "crypto/secret_string.hpp"
#include "gateway/app/redis_setup.hpp"
#include "gateway/base/config.hpp"
#include "gateway/base/log_writer.hpp"
#include "gateway/base/logger.hpp"
#include "gateway/pipeline/cross_site.hpp"
#include "storage/api_key_store.hpp"
#include "storage/database_thread.hpp"
#include "storage/key_changes.hpp"
#include "storage/login_link_store.hpp"
#include "storage/postgres.hpp"
#include "storage/provider_key_store.hpp"
#include "storage/spool_keeper.hpp"
#include "storage/sqlite.hpp"
#include "storage/usage_flusher.hpp"
#include "storage/usage_sink.hpp"
#include "storage/usage_store.hpp"
#include "upstream/client_tls.hpp"
#include "upstream/health_board.hpp"
#include "upstream/model_registry.hpp"
#include "upstream/models_list.hpp"

#include <atomic>
#include <functional>
#include <memory>
#include <vector>

namespace concurred::app {

/// What belongs to the process and is used by all shards: immutable, atomic, or with a thread of its own. Made before
/// the shards and destroyed after them.
struct shared_state {
    base::config_snapshot settings;
    base::log_writer log_writer;
    base::logger_options log_options;
    base::log_format access_format = base::log_format::json;

    // Immutable.
    upstream::model_registry models;
    upstream::models_list models_list;
    auth::rate_limiter limiter;
    upstream::client_tls client_tls;
    crypto::ssl_ctx_handle server_tls;  // null: plain HTTP
    crypto::ssl_ctx_handle unkey_tls;   // null: no way there, or a plain one
    pipeline::origin_rules origins;
    std::unique_ptr<redis_setup> redis;  // null: no Redis
    crypto::ssl_ctx_handle session_tls;  // for fetching the keys of sessions; null: not by TLS
    crypto::key_ring master_keys;
    crypto::secret_string session_secret;  // of sessions that the gateway issues itself

    // Atomics.
    auth::key_cache_params cache_params;
    auth::key_state_table key_states;
    auth::key_overrides key_overrides;
    auth::address_limiter failed_logins;
    auth::address_limiter health_checks;
    std::atomic<int> redis_up{0};  // shards on which Redis answers

    upstream::health_board health_board;  // under a lock of its own, away from requests for models

    // The database, used on its thread only; the queues between the shards and that thread.
    std::unique_ptr<storage::sqlite_database> database;    // null: all is in `postgres`
    std::unique_ptr<storage::postgres_database> postgres;  // null: all is in `database`
    std::unique_ptr<storage::api_key_store> keys;
    std::unique_ptr<storage::usage_store> usage;
    std::unique_ptr<storage::key_changes> key_changes;
    std::unique_ptr<storage::spool_keeper> spools;                   // null: usage waits in memory
    std::vector<std::unique_ptr<storage::usage_queue>> usage_rings;  // without spools: one for each shard
    std::vector<storage::usage_queue*> usage_queues;                 // one for each shard
    std::unique_ptr<storage::provider_key_store> provider_keys;
    std::unique_ptr<storage::login_link_store> login_links;
    std::function<void()> provider_key_changed;  // tells all shards; called on the database thread
    std::unique_ptr<storage::usage_flusher> flusher;
    storage::database_thread database_thread;  // last: its jobs use all of the above

    /// Ends the database thread and writes the usage that waits, until `deadline`. After the shards have ended.
    /// @return records that could not be written
    [[nodiscard]] std::size_t finish_database(base::steady_time deadline);
};

/// Opens and makes all of it. Errors: in words for the operator, who sees them before anything listens.
/// @param shards at least 1
[[nodiscard]] base::result<std::unique_ptr<shared_state>> make_shared_state(base::config_snapshot settings,
                                                                            unsigned shards);

}  // namespace concurred::app
