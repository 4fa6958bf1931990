#pragma once

#include "gateway/base/error.hpp"

#include <array>
#include <cstddef>
#include <span>
#include <string_view>

namespace concurred::auth {

/// Prefixes of the keys that this gateway issues.
inline constexpr std::array<std::string_view, 1> issued_prefixes{"ck_"};

/// What a key must look like to be worth hashing and looking up.
struct credential_rules {
    std::span<const std::string_view> prefixes = issued_prefixes;  ///< must outlive the rules; more for imported keys
    std::size_t min_secret = 16;                                   ///< base58 characters after the prefix
    std::size_t max_length = 512;                                  ///< bytes of the whole key
};

/// Finds the API key of a request. Everything that cannot be a key is refused here, before any hash, lock or look-up,
/// and with one and the same answer: which rule was broken is not told.
/// @param authorization values of all `Authorization` lines. @param api_key values of all `X-API-Key` lines. Both
/// without surrounding white space; an empty value counts as not sent.
/// @return a view into one of the values. Does not allocate, except for the text of a 400.
/// Errors: errc::bad_request for several `Authorization` lines and for credentials that differ (nobody can tell which
/// one the proxies on the way have looked at; equal ones are fine); errc::unauthorized when there is none;
/// errc::invalid_api_key when what is there is no key. No error quotes the credential.
/// Source: identity.md 2.3, DECISIONS.md 10, RFC 6750 2.1.
[[nodiscard]] base::result<std::string_view> extract_credential(std::span<const std::string_view> authorization,
                                                                std::span<const std::string_view> api_key,
                                                                const credential_rules& rules = {});

/// Whether `key` has the shape of a key. Says nothing about whether it exists.
[[nodiscard]] bool is_key_shaped(std::string_view key, const credential_rules& rules = {}) noexcept;

}  // namespace concurred::auth
