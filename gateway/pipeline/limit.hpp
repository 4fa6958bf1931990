#pragma once

#include "auth/limits.hpp"
#include "auth/shared_limiter.hpp"
#include "gateway/http/handler.hpp"

namespace concurred::pipeline {

/// How much the caller may do: the key's own limit and the path's, decided in one step over all shards. A denial costs
/// no body, no parse and no upstream connection.
class limit final : public http::handler {
public:
    /// @param shared null: this gateway counts alone
    limit(const auth::rate_limiter& limiter, auth::shared_limiter* shared, http::handler& next)
        : limiter_(limiter), shared_(shared), next_(next) {}

    [[nodiscard]] base::task<base::result<http::response>> handle(http::exchange& x) override;

private:
    [[nodiscard]] base::task<base::result<http::response>> go_on(http::exchange& x,
                                                                 const auth::limit_decision& decision);
    [[nodiscard]] base::task<base::result<http::response>> ask(http::exchange& x, auth::principal who,
                                                               auth::path_class row);

    const auth::rate_limiter& limiter_;
    auth::shared_limiter* shared_;
    http::handler& next_;
};

/// Calls the endpoint that the router has found: the end of the chain.
class dispatch final : public http::handler {
public:
    [[nodiscard]] base::task<base::result<http::response>> handle(http::exchange& x) override;
};

}  // namespace concurred::pipeline
