#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace concurred::auth {

/// More chunks than this are no session: one needs two, sometimes three.
inline constexpr std::size_t max_cookie_chunks = 10;

/// The name of Supabase's session cookie for a project: `sb-<first label of the host>-auth-token`.
/// @param url of the project, e.g. "https://abc.supabase.co"
[[nodiscard]] std::string supabase_cookie_name(std::string_view url);

/// Finds the access tokens in the session cookie as Supabase's libraries write it: one cookie of the name itself, or
/// chunks `name.0`, `name.1`, ... in any order up to the first gap; the value either "base64-" and base64url of the
/// JSON, or the JSON percent-encoded; the JSON an object with `access_token`, or the array of older libraries.
/// Nothing of the session but the token is read: the rest is not signed. A name that is there twice (of a host and of
/// its domain) gives a token each.
/// @param cookies values of all `Cookie` lines
/// @return tokens that may be tried, not checked; empty when there is no such cookie, or none that can be read
/// Source: @supabase/ssr; identity.md 3.1.
[[nodiscard]] std::vector<std::string> session_tokens(std::span<const std::string_view> cookies, std::string_view name);

/// Whether any of the cookies has that name, or is a chunk of it.
[[nodiscard]] bool has_session_cookie(std::span<const std::string_view> cookies, std::string_view name) noexcept;

}  // namespace concurred::auth
