#include "gateway/pipeline/chain.hpp"

namespace concurred::pipeline {

namespace {

key_surroundings keys_of(const chain::surroundings& around) {
    return {.shard = around.shard,
            .admin = around.keys,
            .limits = around.settings.limits,
            .database = around.database,
            .usage = around.usage_store};
}

}  // namespace

// From the outside in:
//   observe       sees every outcome, so nothing may be outside of it; turns errors into answers
//   router        path and method decide whether credentials are needed at all; costs nothing, so it may come first
//   authenticate  before anything that costs money, or memory for a tenant
//   limit         right behind it: needs the key, and a denial must not read the body
//   dispatch      the endpoint; those that spend money keep their usage records themselves, around all that can fail
chain::chain(const surroundings& around)
    : ledger_(around.usage_sink, around.shared_spend),
      provider_key_desk_{.shard = around.shard,
                         .database = around.database,
                         .store = around.provider_keys,
                         .ring = around.master_keys,
                         .probe = around.probe,
                         .keys = around.owner_keys,
                         .limits = around.key_states,
                         .publish = around.provider_key_changed},
      login_desk_{.shard = around.shard,
                  .database = around.database,
                  .links = around.login_links,
                  .failures = around.failed_logins,
                  .secret = around.session_secret,
                  .secure = around.origins.tls || around.origins.own.starts_with("https:")},
      login_(login_desk_),
      store_provider_key_(provider_key_desk_),
      list_provider_keys_(provider_key_desk_),
      delete_provider_key_(provider_key_desk_),
      test_provider_key_(provider_key_desk_),
      health_(around.health_limiter),
      provider_health_(around.health_board),
      list_models_(around.models_list),
      show_model_(around.models_list),
      usage_(around.shard, around.database, around.usage_store),
      usage_explain_(around.shard, around.database, around.usage_store, around.models),
      create_key_(keys_of(around)),
      list_keys_(keys_of(around)),
      update_key_(keys_of(around)),
      delete_key_(keys_of(around)),
      rotate_key_(keys_of(around)),
      chat_completions_(around.routing, ledger_),
      embeddings_(upstream::plain_endpoint::embeddings, around.routing, ledger_),
      responses_(upstream::plain_endpoint::responses, around.routing, ledger_),
      limit_(around.limiter, around.shared_limiter, around.shard, around.database, around.usage_store, dispatch_),
      authenticate_(around.authenticator,
                    {.verifier = around.sessions,
                     .states = around.key_states,
                     .failures = around.failed_logins,
                     .origins = around.origins,
                     .per_minute = around.settings.session.rate_limit,
                     .require_mfa = around.settings.supabase.require_mfa},
                    around.metrics, limit_),
      router_(routes(around.limiter), around.origins.allowed.empty() ? nullptr : &around.origins, authenticate_),
      observe_({around.settings, around.log, around.access, around.metrics, ledger_}, router_) {}

std::vector<endpoint> chain::routes(const auth::rate_limiter& limiter) {
    using http::verb;
    using form = http::api_form;
    std::vector<endpoint> table{
        {verb::post, "/api/v1/chat/completions", access::key, &chat_completions_},
        {verb::post, "/api/v1/messages", access::key, &chat_completions_, 0, false, form::anthropic_messages},
        {verb::post, "/api/v1/messages/count_tokens", access::key, &chat_completions_, 0, false, form::anthropic_count},
        {verb::post, "/api/v1/embeddings", access::key, &embeddings_},
        {verb::post, "/api/v1/responses", access::key, &responses_},
        {verb::get, "/api/v1/models", access::key, &list_models_},
        {verb::get, "/api/v1/models/:id", access::key, &show_model_, 0, true},
        {verb::get, "/api/v1/usage", access::either, &usage_},
        {verb::get, "/api/v1/usage/explain", access::either, &usage_explain_},
        {.method = verb::get,
         .path = "/api/health",
         .credentials = access::either,
         .handler = &provider_health_,
         .query = "verbose=1"},
        {verb::post, "/api/v1/keys", access::session, &create_key_},
        {verb::get, "/api/v1/keys", access::session, &list_keys_},
        {verb::patch, "/api/v1/keys/:id", access::session, &update_key_},
        {verb::delete_, "/api/v1/keys/:id", access::session, &delete_key_},
        {verb::post, "/api/v1/keys/:id/rotate", access::session, &rotate_key_},
        {verb::post, "/api/v1/provider-keys", access::session, &store_provider_key_},
        {verb::get, "/api/v1/provider-keys", access::session, &list_provider_keys_},
        {verb::delete_, "/api/v1/provider-keys/:id", access::session, &delete_provider_key_},
        {verb::post, "/api/v1/provider-keys/:id/test", access::session, &test_provider_key_},
        {verb::get, "/login", access::open, &login_},
        {verb::get, "/api/health", access::open, &health_},
        {verb::get, "/", access::open, &landing_},
    };
    for (endpoint& e : table) {
        e.limit_class = static_cast<std::uint8_t>(limiter.class_of(e.path));
        e.asks_provider = e.handler == &chat_completions_ || e.handler == &embeddings_ || e.handler == &responses_;
    }
    return table;
}

}  // namespace concurred::pipeline
