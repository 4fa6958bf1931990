#pragma once

#include "auth/session_verifier.hpp"
#include "gateway/base/config.hpp"

namespace concurred::app {

/// What verifies a shard's sessions: Supabase's where `[supabase]` is configured.
/// Errors: a secret that cannot be used.
[[nodiscard]] base::result<auth::session_verifier> make_session_verifier(const base::config& settings);

}  // namespace concurred::app
