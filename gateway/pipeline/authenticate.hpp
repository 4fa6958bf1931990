#pragma once

#include "auth/authenticator.hpp"
#include "auth/session_verifier.hpp"
#include "crypto/secret_string.hpp"
#include "gateway/base/metrics.hpp"
#include "gateway/http/handler.hpp"
#include "gateway/pipeline/cross_site.hpp"

#include <optional>

namespace concurred::pipeline {

/// Who asks. Runs before anything that costs money or memory for a tenant. Keys known to this shard are let through
/// without a wait; others are looked up. Routes that take no credentials pass unseen. On a route for sessions an API
/// key is refused; where a key is allowed and there is one, the cookie is not looked at: identities are never mixed.
class authenticate final : public http::handler {
public:
    /// How sessions are taken. All of it outlives the handler.
    struct session_access {
        auth::session_verifier& verifier;
        auth::key_state_table& states;
        auth::address_limiter& failures;
        const origin_rules& origins;
        std::uint32_t per_minute;  ///< requests of all sessions of one owner
        bool require_mfa;          ///< for changes
    };

    authenticate(auth::authenticator& authenticator, const session_access& sessions, base::metrics& metrics,
                 http::handler& next)
        : authenticator_(authenticator), sessions_(sessions), metrics_(metrics), next_(next) {}

    [[nodiscard]] base::task<base::result<http::response>> handle(http::exchange& x) override;

private:
    [[nodiscard]] base::task<base::result<http::response>> look_up(http::exchange& x, crypto::digest256 key,
                                                                   crypto::secret_string text);
    void accept(http::exchange& x, const auth::principal& who) const noexcept;
    void tell_age(http::exchange& x, const auth::principal& who) const noexcept;
    [[nodiscard]] base::task<base::result<http::response>> by_session(http::exchange& x);
    [[nodiscard]] base::task<base::result<http::response>> learn_keys(http::exchange& x);
    [[nodiscard]] base::result<void> accept_session(http::exchange& x, const auth::session_check& found);
    [[nodiscard]] base::error refuse_session(http::exchange& x, auth::session_fault fault);

    auth::authenticator& authenticator_;
    session_access sessions_;
    base::metrics& metrics_;
    http::handler& next_;
    std::optional<auth::principal> signed_in_;  // of the last session; handlers copy what they need before they wait
};

}  // namespace concurred::pipeline
