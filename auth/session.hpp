#pragma once

#include "gateway/base/clock.hpp"
#include "gateway/base/fixed_text.hpp"
#include "gateway/base/usage_record.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace concurred::auth {

/// Longest owner of a session: an id with a prefix must fit where the ids of keys do.
inline constexpr std::size_t max_session_owner = 112;

/// Who is signed in to the dashboard.
struct session {
    base::fixed_text<max_session_owner> owner;
    std::int64_t expires_ms = 0;  ///< Unix milliseconds
    bool anonymous = false;       ///< signed in without an identity
    bool two_factors = false;     ///< signed in with a second factor ("aal2")
};

/// Why a token is no session.
enum class session_fault : std::uint8_t {
    none,
    malformed,    ///< not a token, or claims of the wrong types
    unknown_key,  ///< signed by a key that is not known (yet)
    signature,
    expired,
    not_yet,   ///< issued in the future
    not_ours,  ///< of another issuer, audience or role: Supabase's public "anon" key is such a one
};

struct session_check {
    session_fault fault = session_fault::malformed;
    session who{};  ///< when `fault` is none
};

/// What the claims of a token must say.
struct claim_rules {
    std::string issuer;        ///< `iss`
    bool uuid_subject = true;  ///< `sub` is a UUID
};

/// Reads the claims of a token whose signature is good: `exp` (30 s of leeway), `nbf` and `iat` (at most 60 s ahead),
/// `iss`, `aud` with "authenticated", `role` "authenticated", `sub`, `session_id`; `is_anonymous` and `aal` are taken
/// over. Nothing that a user can edit (`user_metadata`) is looked at. Source: identity.md 3.3.
[[nodiscard]] session_check check_claims(std::string_view payload, const claim_rules& rules, base::wall_time now);

}  // namespace concurred::auth
