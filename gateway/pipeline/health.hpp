#pragma once

#include "auth/address_limits.hpp"
#include "gateway/http/handler.hpp"

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

}  // namespace concurred::pipeline
