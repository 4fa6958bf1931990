#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace concurred::base {

using std::chrono::milliseconds;

/// A TCP address to listen on. Written as "127.0.0.1:8080", "[::1]:8080" or ":8080" (all addresses).
struct endpoint_config {
    std::string host = "127.0.0.1";
    std::uint16_t port = 0;  ///< 0: any free port, printed at start
};

struct server_config {
    endpoint_config listen{"127.0.0.1", 8080};
    endpoint_config admin_listen{"127.0.0.1", 9090};
    unsigned shards = 0;                 ///< event loops; 0: one per core
    std::string tls_certificate;         ///< PEM file with the chain; empty: plain HTTP
    std::string tls_key;                 ///< PEM file
    unsigned max_connections = 100'000;  ///< client connections of the whole process
};

struct storage_config {
    std::string path = "var/concurred.db";    ///< SQLite file
    std::string spool = "var/spool";          ///< folder of the usage spool; empty: usage waits in memory
    std::size_t spool_limit = 1'073'741'824;  ///< bytes of the spools of this process
    milliseconds spool_sync{100};             ///< a power cut takes at most the usage of this time
    unsigned event_days = 62;                 ///< the record of a single request is kept this long; sums for good
    milliseconds flush_interval{1000};        ///< usage is written at least this often
    unsigned flush_batch = 500;               ///< ... or after this many records
    milliseconds change_poll{250};            ///< how often changes of keys by other processes are looked for
};

/// Redis, for what several replicas share. Without a URL nothing of it exists.
struct redis_config {
    std::string url;                ///< see storage/redis_url.hpp; may hold a password, never printed
    std::string sentinel_master;    ///< not empty: the hosts of the URL are Sentinels
    std::string sentinel_user;      ///< credentials at the Sentinels themselves
    std::string sentinel_password;  ///< never printed
    std::string ca_file;            ///< PEM with additional trusted roots for rediss://
    std::string client_name = "concurred";
    milliseconds command_timeout{50};  ///< no request waits longer for Redis
    bool required = false;             ///< whether /readyz says no while Redis is away
};

/// PostgreSQL, for keys and usage that several machines share. Without a URL they are in the SQLite file.
struct postgres_config {
    std::string url;  ///< postgres://user:password@host:port/name?...; never printed
};

struct secrets_config {
    /// Base64 of 32 bytes; several, separated by commas, while one is being replaced: the first seals. Never printed.
    std::string master_key;
};

struct limits_config {
    std::size_t header_bytes = 32'768;
    std::size_t target_bytes = 8'192;
    unsigned header_fields = 100;
    std::size_t body_bytes = 33'554'432;
    milliseconds header_timeout{10'000};     ///< from the first byte to the end of the head
    milliseconds body_timeout{60'000};       ///< without a byte of progress in the body
    milliseconds idle_timeout{75'000};       ///< between requests of a keep-alive connection
    milliseconds write_timeout{60'000};      ///< client takes no byte of the answer
    milliseconds keepalive_comment{15'000};  ///< a stream that is silent this long gets a comment; 0: never
    milliseconds drain_timeout{600'000};
    milliseconds drain_grace{5'000};   ///< after SIGTERM new connections are still served this long
    unsigned default_rate_limit = 60;  ///< requests per 60 s of a key created without one
    unsigned max_rate_limit = 1'000'000;
    unsigned keys_per_owner = 50;
    unsigned provider_keys_per_owner = 20;
    unsigned health_per_minute = 120;       ///< GET /api/health, per client address
    unsigned failed_auth_per_minute = 30;   ///< failed authentications, per client address that is not loopback
    std::string mode = "local";             ///< where limits are counted: local | strict | leased
    unsigned replicas = 1;                  ///< gateways that share the limits
    std::map<std::string, unsigned> paths;  ///< route template -> requests per minute of one key
};

/// API keys kept by Unkey. It is on when `verify_key` is set; else keys are in the embedded store.
struct unkey_config {
    std::string base_url = "https://api.unkey.com";
    std::string verify_key;        ///< root key that may only verify
    std::string manage_key;        ///< root key for /api/v1/keys and `concurred keys`; empty: managed at Unkey's
    std::string api_id;            ///< the API that keys are made in
    std::string ca_file;           ///< PEM with additional trusted roots; empty: the system's
    milliseconds timeout{1'500};   ///< for a verification, its retry included
    unsigned max_concurrent = 64;  ///< verifications at a time, of the whole process
};

/// Sign-in by Supabase. It is on when `url` is set.
struct supabase_config {
    std::string url;           ///< of the project, "https://abc.supabase.co"; issuer is <url>/auth/v1
    std::string jwt_secret;    ///< HS256 secret; alone: no keys are fetched
    std::string jwks_url;      ///< empty: <url>/auth/v1/.well-known/jwks.json, unless there is a jwt_secret
    std::string cookie_name;   ///< empty: sb-<first label of the host>-auth-token
    bool require_mfa = false;  ///< changes of keys need a session with a second factor
};

/// The dashboard's sessions, of whichever issuer.
struct session_config {
    std::string public_url;             ///< where people reach the gateway; empty: server.listen
    std::string allowed_origins;        ///< further origins whose pages may use the API, separated by spaces
    bool strict_origin = false;         ///< changes with a cookie need an Origin or Sec-Fetch-Site
    milliseconds lifetime{43'200'000};  ///< of a session that the gateway issues itself
    unsigned rate_limit = 120;          ///< requests per 60 s of all sessions of one owner
};

struct log_config {
    std::string level = "info";   ///< debug | info | warn | error
    std::string format = "auto";  ///< auto (text on a terminal, else json) | json | text
    bool access = true;
};

/// A provider. Fields left at their default by the file keep those of the built-in table.
struct provider_config {
    std::string base_url;  ///< as in the official SDK's default, e.g. "https://api.openai.com/v1"
    std::string api_key;   ///< the platform's key; empty: the provider is off
    std::string api_keys;  ///< more of the platform's keys, with spaces between; "KEY*3" is used three times as often
    std::string ca_file;   ///< PEM with additional trusted roots; empty: the system's
    milliseconds connect_timeout{5'000};
    milliseconds first_token_timeout{120'000};
    milliseconds idle_timeout{120'000};  ///< between two reads of an answer
    milliseconds total_timeout{900'000};
    unsigned max_connections = 1'024;  ///< per shard
    milliseconds pool_wait{1'000};     ///< longest wait for a free connection
    milliseconds keepalive{55'000};    ///< an idle connection is closed after this

    /// Whether there is a key, without which the provider is off.
    [[nodiscard]] bool has_key() const noexcept { return !api_key.empty() || !api_keys.empty(); }
};

/// How requests find a provider that works. What a request says of itself (`retries`, `timeout`) counts more.
struct routing_config {
    unsigned retries = 2;           ///< repeats that each model of a request may have
    milliseconds timeout{60'000};   ///< until an answer has begun, over all attempts; 0: the providers' budgets alone
    milliseconds backoff{250};      ///< before the first repeat; doubled for each further one
    unsigned retry_budget = 20;     ///< repeats to a provider, in percent of the requests to it
    unsigned breaker_failures = 5;  ///< in a row, until requests are kept away; 0: never
    milliseconds breaker_cooldown{5'000};  ///< first time they are kept away
    bool hedge = false;                    ///< ask a second time when the first content is later than usual
    unsigned hedge_budget = 5;             ///< second requests, in percent of all
};

/// An alias or an additional model. Unset fields keep those of the compiled-in catalogue.
struct model_config {
    std::optional<std::string> target;          ///< makes it an alias of this model id
    std::optional<std::string> provider;        ///< provider that serves it
    std::optional<std::string> upstream_model;  ///< id sent to the provider when it differs
    std::optional<std::uint32_t> context_window;
    std::optional<std::uint32_t> max_output_tokens;
    std::optional<double> input_price;  ///< USD per million tokens
    std::optional<double> cached_input_price;
    std::optional<double> output_price;
};

/// Everything the file, the environment and the flags say. Parsed once, then immutable; shared between shards.
struct config {
    server_config server;
    storage_config storage;
    redis_config redis;
    postgres_config postgres;
    secrets_config secrets;
    limits_config limits;
    unkey_config unkey;
    supabase_config supabase;
    session_config session;
    log_config log;
    routing_config routing;
    std::map<std::string, provider_config> providers;
    std::map<std::string, model_config> models;
};

using config_snapshot = std::shared_ptr<const config>;

}  // namespace concurred::base
