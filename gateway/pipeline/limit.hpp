#pragma once

#include "auth/limits.hpp"
#include "auth/shared_limiter.hpp"
#include "auth/shared_spend.hpp"
#include "gateway/http/handler.hpp"
#include "storage/database_thread.hpp"
#include "storage/usage_store.hpp"

namespace concurred::pipeline {

/// How much the caller may do: the key's own limit and the path's, decided in one step over all shards. A denial costs
/// no body, no parse and no upstream connection.
class limit final : public http::handler {
public:
    /// @param shared null: this gateway counts alone
    limit(const auth::rate_limiter& limiter, auth::shared_limiter* shared, base::executor shard,
          storage::database_thread& database, storage::usage_store& store, http::handler& next)
        : limiter_(limiter), shared_(shared), shard_(shard), database_(database), store_(store), next_(next) {}

    [[nodiscard]] base::task<base::result<http::response>> handle(http::exchange& x) override;

private:
    [[nodiscard]] base::task<base::result<http::response>> go_on(http::exchange& x,
                                                                 const auth::limit_decision& decision);
    [[nodiscard]] base::task<base::result<http::response>> ask(http::exchange& x, auth::principal who,
                                                               auth::path_class row);
    [[nodiscard]] base::task<base::result<http::response>> go_on_owing(http::exchange& x, auth::owed_request owed);
    [[nodiscard]] base::task<base::result<http::response>> proceed(http::exchange& x);
    [[nodiscard]] base::task<base::result<http::response>> learn_spent(http::exchange& x);

    const auth::rate_limiter& limiter_;
    auth::shared_limiter* shared_;
    base::executor shard_;
    storage::database_thread& database_;
    storage::usage_store& store_;
    http::handler& next_;
};

/// Calls the endpoint that the router has found: the end of the chain.
class dispatch final : public http::handler {
public:
    [[nodiscard]] base::task<base::result<http::response>> handle(http::exchange& x) override;
};

}  // namespace concurred::pipeline
