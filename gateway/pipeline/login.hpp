#pragma once

#include "auth/address_limits.hpp"
#include "crypto/secret_string.hpp"
#include "gateway/http/handler.hpp"
#include "storage/database_thread.hpp"
#include "storage/login_link_store.hpp"

#include <string_view>

namespace concurred::pipeline {

/// What signing in works with. All of it outlives the handler.
struct login_desk {
    base::executor shard;
    storage::database_thread& database;
    storage::login_link_store& links;
    auth::address_limiter& failures;
    std::string_view secret;  ///< signs sessions; empty: another issuer does, and there is nothing here
    bool secure = false;      ///< clients come by TLS
};

/// GET /login?code=...: takes a one-time link and sets the session's cookie. Only where the gateway issues sessions
/// itself. The link changes something, so what only looks ahead (HEAD, a browser's prefetch) does not take it.
class login final : public http::handler {
public:
    explicit login(const login_desk& desk) : desk_(desk) {}
    [[nodiscard]] base::task<base::result<http::response>> handle(http::exchange& x) override;

private:
    const login_desk& desk_;
};

}  // namespace concurred::pipeline
