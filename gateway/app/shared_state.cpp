#include "gateway/app/shared_state.hpp"

#include "auth/own_sessions.hpp"
#include "crypto/bytes.hpp"
#include "crypto/random.hpp"
#include "crypto/tls_context.hpp"
#include "gateway/app/command_database.hpp"
#include "gateway/app/session_setup.hpp"
#include "gateway/app/unkey_setup.hpp"
#include "storage/postgres_api_key_store.hpp"
#include "storage/provider_key_rules.hpp"
#include "storage/usage_ring.hpp"
#include "upstream/provider.hpp"

#include <array>
#include <bit>
#include <chrono>

namespace concurred::app {

namespace {

using base::result;

constexpr std::chrono::seconds a_minute{60};

auth::gcra_limit per_minute(unsigned limit) {
    return auth::gcra_limit(limit, a_minute, limit);
}

result<std::uint64_t> random_seed() {
    std::array<std::uint8_t, 8> bytes;
    if (auto ok = crypto::fill_random(bytes); !ok) {
        return ok.error();
    }
    return std::bit_cast<std::uint64_t>(bytes);
}

// What the problems of a registry say is known from the check of the configuration; here it cannot fail any more.
result<upstream::model_registry> make_models(const base::config& settings) {
    auto made = upstream::make_model_registry(settings);
    if (auto* problems = std::get_if<std::vector<upstream::model_problem>>(&made)) {
        return base::gateway_error(base::errc::internal, problems->front().key + ": " + problems->front().message);
    }
    return std::get<upstream::model_registry>(std::move(made));
}

upstream::models_list list_of(const upstream::model_registry& models, const base::config& settings) {
    return {models, [&settings](std::string_view name) {
                const auto found = settings.providers.find(std::string(name));
                return found != settings.providers.end() && found->second.has_key() &&
                       upstream::dialect_of(name).spoken;
            }};
}

result<crypto::key_ring> read_master_keys(const base::config& settings) {
    auto ring = crypto::key_ring::parse(settings.secrets.master_key);
    if (!ring) {
        return base::gateway_error(base::errc::internal,
                                   "secrets.master_key: " + std::string(base::text_of(ring.error())));
    }
    return ring;
}

// Without a master key sessions end with the process.
result<crypto::secret_string> make_session_secret(const crypto::key_ring& ring) {
    if (!ring.empty()) {
        return auth::session_secret(ring.active());
    }
    std::array<std::uint8_t, 32> random;
    if (auto ok = crypto::fill_random(random); !ok) {
        return ok.error();
    }
    return auth::session_secret(crypto::to_view(random));
}

struct queues {
    std::unique_ptr<storage::spool_keeper> spools;
    std::vector<std::unique_ptr<storage::usage_queue>> rings;
    std::vector<storage::usage_queue*> all;
};

result<queues> make_queues(const base::storage_config& settings, unsigned shards) {
    queues made;
    if (!settings.spool.empty()) {
        auto spools = storage::spool_keeper::make({.root = settings.spool,
                                                   .limit_bytes = settings.spool_limit,
                                                   .sync = settings.spool_sync,
                                                   .shards = shards});
        if (!spools) {
            return spools.error();
        }
        made.spools = std::move(*spools);
        for (unsigned i = 0; i < shards; ++i) {
            made.all.push_back(&made.spools->spool(i));
        }
        return made;
    }
    for (unsigned i = 0; i < shards; ++i) {
        auto ring = storage::usage_ring::make();
        if (!ring) {
            return ring.error();
        }
        made.all.push_back(ring->get());
        made.rings.push_back(std::move(*ring));
    }
    return made;
}

}  // namespace

std::size_t shared_state::finish_database(base::steady_time deadline) {
    database_thread.stop();
    const std::size_t left = flusher->flush_now(deadline);
    if (spools) {
        spools->stop();
    }
    return left;
}

result<std::unique_ptr<shared_state>> make_shared_state(base::config_snapshot settings, unsigned shards) {
    auto master_keys = read_master_keys(*settings);
    if (!master_keys) {
        return master_keys.error();
    }
    auto session_secret = make_session_secret(*master_keys);
    if (!session_secret) {
        return session_secret.error();
    }
    auto models = make_models(*settings);
    if (!models) {
        return models.error();
    }
    auto limiter = auth::rate_limiter::make(settings->limits);
    if (!limiter) {
        return limiter.error();
    }
    auto client_tls = upstream::client_tls::make(*settings);
    if (!client_tls) {
        return client_tls.error();
    }
    crypto::ssl_ctx_handle server_tls;
    if (!settings->server.tls_certificate.empty()) {
        auto made = crypto::make_server_tls(settings->server.tls_certificate, settings->server.tls_key);
        if (!made) {
            return made.error();
        }
        server_tls = std::move(*made);
    }
    auto unkey_tls = make_unkey_tls(*settings);
    if (!unkey_tls) {
        return unkey_tls.error();
    }
    crypto::ssl_ctx_handle session_tls;
    if (jwks_url_of(settings->supabase).starts_with("https://")) {
        auto made = crypto::make_client_tls({});
        if (!made) {
            return made.error();
        }
        session_tls = std::move(*made);
    }
    auto seed = random_seed();
    if (!seed) {
        return seed.error();
    }
    auto redis = make_redis_setup(settings->redis, *seed);
    if (!redis) {
        return redis.error();
    }
    constexpr bool check_whole_file = true;
    auto database = open_database(*settings, check_whole_file);
    if (!database) {
        base::error e = database.error();
        e.code = base::errc::service_unavailable;  // not a mistake of the configuration
        return e;
    }
    auto key_changes = database->postgres ? storage::make_postgres_key_changes(*database->keys)
                                          : storage::make_sqlite_key_changes(*database->database, *database->keys);
    if (!key_changes) {
        return key_changes.error();
    }
    if (auto ok = storage::check_master_keys(*database->provider_keys, *master_keys); !ok) {
        return ok.error();
    }
    auto queues = make_queues(settings->storage, shards);
    if (!queues) {
        return queues.error();
    }
    const std::int64_t now_us = base::micros(std::chrono::steady_clock::now());
    auth::key_cache_params cache_params;
    cache_params.seed = *seed;
    if (uses_unkey(*settings) && *redis == nullptr) {
        cache_params.reread = {};  // the next layer is the source itself
    }

    auto list = list_of(*models, *settings);
    std::unique_ptr<shared_state> state(new shared_state{
        .settings = settings,
        .log_writer = base::log_writer(),
        .log_options = {.level = base::log_level_of(settings->log.level),
                        .format = base::log_format_of(settings->log.format, 2)},
        .access_format = base::log_format_of(settings->log.format, 1),
        .models = std::move(*models),
        .models_list = std::move(list),
        .limiter = std::move(*limiter),
        .client_tls = std::move(*client_tls),
        .server_tls = std::move(server_tls),
        .unkey_tls = std::move(*unkey_tls),
        .origins = pipeline::make_origin_rules(*settings),
        .redis = std::move(*redis),
        .session_tls = std::move(session_tls),
        .master_keys = std::move(*master_keys),
        .session_secret = std::move(*session_secret),
        .cache_params = cache_params,
        .key_states = {},
        .key_overrides = {},
        .failed_logins = {per_minute(settings->limits.failed_auth_per_minute), *seed, now_us},
        .health_checks = {per_minute(settings->limits.health_per_minute), *seed + 1, now_us},
        .redis_up = 0,
        .health_board = upstream::health_board(shards),
        .database = std::move(database->database),
        .postgres = std::move(database->postgres),
        .keys = std::move(database->keys),
        .usage = std::move(database->usage),
        .key_changes = std::move(*key_changes),
        .spools = std::move(queues->spools),
        .usage_rings = std::move(queues->rings),
        .usage_queues = std::move(queues->all),
        .provider_keys = std::move(database->provider_keys),
        .login_links = std::move(database->login_links),
        .provider_key_changed = {},
        .flusher = nullptr,
        .database_thread = storage::database_thread(),
    });
    return state;
}

}  // namespace concurred::app
