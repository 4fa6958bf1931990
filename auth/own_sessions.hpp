#pragma once

#include "auth/session_verifier.hpp"
#include "crypto/secret_string.hpp"
#include "gateway/base/clock.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace concurred::auth {

// Sessions that the gateway issues itself, where there is no other issuer: the same cookie, with a token of the same
// form.

inline constexpr std::string_view own_cookie_name = "sb-concurred-auth-token";
inline constexpr std::string_view own_issuer = "concurred/auth/v1";
/// How long a one-time link can be used.
inline constexpr std::chrono::minutes login_link_lifetime{15};

/// The code of a new one-time link, and what is stored of it.
struct login_code {
    std::string code;
    std::string hash;
};
[[nodiscard]] login_code make_login_code();
/// What a code is stored as; nothing for a text that cannot be one.
[[nodiscard]] std::optional<std::string> login_code_hash(std::string_view code);

/// The key that signs sessions, from the master key. @param master 32 bytes
[[nodiscard]] crypto::secret_string session_secret(std::string_view master);

/// The value of the session cookie for an owner who has signed in.
/// @param secret signs. @param owner not longer than max_session_owner
[[nodiscard]] std::string issue_session(std::string_view secret, std::string_view owner,
                                        std::chrono::milliseconds lifetime, base::wall_time now);

}  // namespace concurred::auth
