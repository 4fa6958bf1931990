#pragma once

#include "gateway/pipeline/authenticate.hpp"
#include "gateway/pipeline/chat_completions.hpp"
#include "gateway/pipeline/health.hpp"
#include "gateway/pipeline/keys.hpp"
#include "gateway/pipeline/landing.hpp"
#include "gateway/pipeline/limit.hpp"
#include "gateway/pipeline/login.hpp"
#include "gateway/pipeline/models.hpp"
#include "gateway/pipeline/observe.hpp"
#include "gateway/pipeline/plain_endpoints.hpp"
#include "gateway/pipeline/provider_keys.hpp"
#include "gateway/pipeline/router.hpp"
#include "gateway/pipeline/usage.hpp"
#include "gateway/pipeline/usage_explain.hpp"

namespace concurred::pipeline {

/// All middlewares and endpoints of a shard, in their order. See chain.cpp for the reason of every position.
class chain {
public:
    struct surroundings {
        base::executor shard;
        const base::config& settings;
        base::logger& log;
        base::access_log& access;
        base::metrics& metrics;
        base::buffer_pool& buffers;
        base::timing_wheel& wheel;
        auth::authenticator& authenticator;
        auth::key_admin& keys;
        auth::session_verifier& sessions;
        auth::key_state_table& key_states;
        auth::address_limiter& failed_logins;
        const origin_rules& origins;
        storage::login_link_store& login_links;
        std::string_view session_secret;  ///< empty: another issuer makes the sessions
        storage::provider_key_store& provider_keys;
        const crypto::key_ring& master_keys;
        upstream::owner_keys& owner_keys;
        upstream::provider_probe& probe;
        std::function<void()> provider_key_changed;
        const auth::rate_limiter& limiter;
        auth::shared_limiter* shared_limiter;  ///< null: this gateway counts alone
        auth::shared_spend* shared_spend;      ///< null as well then
        auth::address_limiter& health_limiter;
        storage::usage_sink& usage_sink;
        storage::database_thread& database;
        storage::usage_store& usage_store;
        const upstream::model_registry& models;
        const upstream::models_list& models_list;
        upstream::routing_state& routing;
        const upstream::health_board& health_board;
    };

    explicit chain(const surroundings& around);

    [[nodiscard]] http::application& application() noexcept { return observe_; }
    [[nodiscard]] const usage_ledger& ledger() const noexcept { return ledger_; }

private:
    [[nodiscard]] std::vector<endpoint> routes(const auth::rate_limiter& limiter);

    usage_ledger ledger_;

    provider_key_desk provider_key_desk_;
    login_desk login_desk_;

    landing landing_;
    login login_;
    store_provider_key store_provider_key_;
    list_provider_keys list_provider_keys_;
    delete_provider_key delete_provider_key_;
    test_provider_key test_provider_key_;
    health health_;
    provider_health provider_health_;
    list_models list_models_;
    show_model show_model_;
    usage usage_;
    usage_explain usage_explain_;
    create_key create_key_;
    list_keys list_keys_;
    update_key update_key_;
    delete_key delete_key_;
    rotate_key rotate_key_;
    chat_completions chat_completions_;
    plain_endpoint embeddings_;
    plain_endpoint responses_;

    dispatch dispatch_;
    limit limit_;
    authenticate authenticate_;
    router router_;
    observe observe_;
};

}  // namespace concurred::pipeline
