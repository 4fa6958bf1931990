#pragma once

#include "crypto/jws_key.hpp"

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace concurred::auth {

inline constexpr std::size_t max_token_size = 8'192;

/// A token in its three parts, read but not believed.
struct unverified_jws {
    std::string_view signed_text;  ///< header and payload as sent, with their dot; a part of the token
    std::string algorithm;         ///< `alg`, as the token has it
    std::string key_id;            ///< `kid`; empty: none
    std::string payload;           ///< decoded
    std::string signature;         ///< decoded
};

/// Takes a compact JWS (RFC 7515 7.1) apart: three parts in base64url, a header that is a JSON object with each of its
/// members once, `typ` absent or "JWT", no `crit`. `jwk`, `jku`, `x5u` and `x5c` are not looked at.
/// @param token outlives the result
/// @return nothing when it is anything else, or longer than `max_token_size`
[[nodiscard]] std::optional<unverified_jws> parse_jws(std::string_view token);

/// A key and the name by which tokens refer to it.
struct named_key {
    std::string id;  ///< empty: has no name, and is tried for any
    crypto::jws_key key;
};

/// Which of several keys a token is to be checked with, and whether it passes.
enum class jws_verdict {
    good,
    unknown_key,  ///< no key fits the token's `kid` and `alg`: a key set that is fetched again may have it
    bad,
};

/// Checks the signature with the keys that fit: of the token's algorithm, and of its key id where both have one.
[[nodiscard]] jws_verdict check_jws(const unverified_jws& token, std::span<const named_key> keys);

}  // namespace concurred::auth
