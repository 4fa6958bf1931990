#pragma once

#include "auth/address_limits.hpp"
#include "gateway/http/handler.hpp"
#include "upstream/health_board.hpp"

namespace concurred::pipeline {

/// GET /api/health: whether this process answers. Says nothing of providers and stores, costs nothing, and is limited
/// per client address since it is open to everybody.
class health final : public http::handler {
public:
    explicit health(auth::address_limiter& limiter) : limiter_(limiter) {}

    [[nodiscard]] base::task<base::result<http::response>> handle(http::exchange& x) override;

private:
    auth::address_limiter& limiter_;
};

/// GET /api/health?verbose=1: the same, and how providers and models are doing: breakers and keys at rest, as all
/// shards see them, at most a second old. For those with a key or a session: it tells which providers this gateway
/// uses.
class provider_health final : public http::handler {
public:
    explicit provider_health(const upstream::health_board& board) : board_(board) {}

    [[nodiscard]] base::task<base::result<http::response>> handle(http::exchange& x) override;

private:
    const upstream::health_board& board_;
};

}  // namespace concurred::pipeline
