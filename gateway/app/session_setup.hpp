#pragma once

#include "auth/session_verifier.hpp"
#include "gateway/base/config.hpp"
#include "gateway/base/logger.hpp"
#include "gateway/base/task_group.hpp"
#include "gateway/base/timing_wheel.hpp"
#include "gateway/net/resolver.hpp"
#include "storage/login_link_store.hpp"

#include <string>
#include <string_view>

namespace concurred::app {

/// What a shard's sessions are verified with. All of it outlives them.
struct session_surroundings {
    base::executor executor;
    base::timing_wheel& wheel;
    net::resolver& resolver;
    base::task_group& background;
    base::logger& log;
    SSL_CTX* tls;                             ///< for fetching keys; null: none are fetched by TLS
    const crypto::secret_string& own_secret;  ///< signs the sessions that the gateway issues itself
};

/// Where Supabase's keys are fetched; empty: they are not, sessions are signed with the configured secret.
[[nodiscard]] std::string jwks_url_of(const base::supabase_config& supabase);

/// What verifies a shard's sessions: Supabase's where `[supabase]` is configured, else those that the gateway issues.
/// Errors: a secret or an address that cannot be used.
[[nodiscard]] base::result<auth::session_verifier> make_session_verifier(const base::config& settings,
                                                                         const session_surroundings& around);

/// Makes a one-time link for `owner` and stores it. Errors: those of the store.
[[nodiscard]] base::result<std::string> make_login_link(const base::config& settings, storage::login_link_store& links,
                                                        std::string_view owner, const base::endpoint_config& address,
                                                        base::wall_time now);

}  // namespace concurred::app
