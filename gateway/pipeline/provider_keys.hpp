#pragma once

#include "auth/key_state.hpp"
#include "gateway/http/handler.hpp"
#include "storage/database_thread.hpp"
#include "storage/provider_key_store.hpp"
#include "upstream/provider_probe.hpp"

#include <functional>

namespace concurred::pipeline {

/// What the endpoints for provider keys work with. All of it outlives them.
struct provider_key_desk {
    base::executor shard;
    storage::database_thread& database;
    storage::provider_key_store& store;
    const crypto::key_ring& ring;  ///< empty: nothing can be stored
    upstream::provider_probe& probe;
    const upstream::owner_keys& keys;
    auth::key_state_table& limits;
    /// Makes a change known to all shards; called on the database thread, behind the change.
    std::function<void()> publish;
};

/// POST /api/v1/provider-keys: stores a provider's key for its owner, sealed.
class store_provider_key final : public http::handler {
public:
    explicit store_provider_key(const provider_key_desk& desk) : desk_(desk) {}
    [[nodiscard]] base::task<base::result<http::response>> handle(http::exchange& x) override;

private:
    const provider_key_desk& desk_;
};

/// GET /api/v1/provider-keys: the owner's keys, each with the last four characters at most.
class list_provider_keys final : public http::handler {
public:
    explicit list_provider_keys(const provider_key_desk& desk) : desk_(desk) {}
    [[nodiscard]] base::task<base::result<http::response>> handle(http::exchange& x) override;

private:
    const provider_key_desk& desk_;
};

/// DELETE /api/v1/provider-keys/:id.
class delete_provider_key final : public http::handler {
public:
    explicit delete_provider_key(const provider_key_desk& desk) : desk_(desk) {}
    [[nodiscard]] base::task<base::result<http::response>> handle(http::exchange& x) override;

private:
    const provider_key_desk& desk_;
};

/// POST /api/v1/provider-keys/:id/test: asks the provider whether the key works.
class test_provider_key final : public http::handler {
public:
    explicit test_provider_key(const provider_key_desk& desk) : desk_(desk) {}
    [[nodiscard]] base::task<base::result<http::response>> handle(http::exchange& x) override;

private:
    const provider_key_desk& desk_;
};

}  // namespace concurred::pipeline
