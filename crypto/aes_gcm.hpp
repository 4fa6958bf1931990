#pragma once

#include "crypto/secret_string.hpp"
#include "gateway/base/error.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace concurred::crypto {

// AES-256 in Galois/Counter Mode (NIST SP 800-38D), with the one set of sizes that is used here. Everything else is
// refused before OpenSSL sees it: OpenSSL would check a tag of four bytes without complaint.

inline constexpr std::size_t gcm_key_bytes = 32;
inline constexpr std::size_t gcm_nonce_bytes = 12;
inline constexpr std::size_t gcm_tag_bytes = 16;

/// @param nonce never used before with this key. @param aad is bound to the text, and not in it.
/// @return ciphertext and tag; nothing when a size is wrong or the library fails.
[[nodiscard]] std::optional<std::string> aes256_gcm_seal(std::string_view key, std::string_view nonce,
                                                         std::string_view aad, std::string_view plaintext);

/// @param sealed ciphertext and the tag of 16 bytes.
/// @return the plaintext, and only after the tag was found good; nothing otherwise.
[[nodiscard]] std::optional<secret_string> aes256_gcm_open(std::string_view key, std::string_view nonce,
                                                           std::string_view aad, std::string_view sealed);

}  // namespace concurred::crypto
