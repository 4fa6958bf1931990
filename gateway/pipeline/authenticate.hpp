#pragma once

#include "auth/authenticator.hpp"
#include "gateway/http/handler.hpp"

namespace concurred::pipeline {

/// Who asks. Runs before anything that costs money or memory for a tenant. Keys known to this shard are let through
/// without a wait; others are looked up. Routes that take no credentials pass unseen.
class authenticate final : public http::handler {
public:
    authenticate(auth::authenticator& authenticator, http::handler& next)
        : authenticator_(authenticator), next_(next) {}

    [[nodiscard]] base::task<base::result<http::response>> handle(http::exchange& x) override;

private:
    [[nodiscard]] base::task<base::result<http::response>> look_up(http::exchange& x, crypto::digest256 key);
    void accept(http::exchange& x, const auth::principal& who) const noexcept;

    auth::authenticator& authenticator_;
    http::handler& next_;
};

}  // namespace concurred::pipeline
