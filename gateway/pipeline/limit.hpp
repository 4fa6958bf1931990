#pragma once

#include "auth/limits.hpp"
#include "gateway/http/handler.hpp"

namespace concurred::pipeline {

/// How much the caller may do: the key's own limit and the path's, decided in one step over all shards. A denial costs
/// no body, no parse and no upstream connection.
class limit final : public http::handler {
public:
    limit(const auth::rate_limiter& limiter, http::handler& next) : limiter_(limiter), next_(next) {}

    [[nodiscard]] base::task<base::result<http::response>> handle(http::exchange& x) override;

private:
    const auth::rate_limiter& limiter_;
    http::handler& next_;
};

/// Calls the endpoint that the router has found: the end of the chain.
class dispatch final : public http::handler {
public:
    [[nodiscard]] base::task<base::result<http::response>> handle(http::exchange& x) override;
};

}  // namespace concurred::pipeline
