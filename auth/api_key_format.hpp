#pragma once

#include "crypto/digest.hpp"
#include "crypto/secret_string.hpp"
#include "gateway/base/error.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace concurred::auth {

inline constexpr std::string_view api_key_prefix = "ck_";

/// Random bytes in a key: 24 are 192 bits, written in 32 or 33 characters.
inline constexpr std::size_t default_key_bytes = 24;
inline constexpr std::size_t min_key_bytes = 16;
inline constexpr std::size_t max_key_bytes = 255;

/// The key that stands for these bytes: `ck_` and their base58 form (Bitcoin's alphabet, no checksum), as Unkey writes
/// it.
/// @param secret min_key_bytes ... max_key_bytes random bytes; the caller wipes them.
/// @return errc::internal for any other number of bytes.
/// Source: identity.md 2.7.
[[nodiscard]] base::result<crypto::secret_string> make_api_key(std::span<const std::uint8_t> secret);

/// A new key from the system's generator. It is shown once and never stored: keep `hash_text` and `key_start`.
/// @param bytes min_key_bytes ... max_key_bytes.
/// @return errc::internal for any other number, or when the generator fails.
[[nodiscard]] base::result<crypto::secret_string> generate_api_key(std::size_t bytes = default_key_bytes);

/// The form in which stores keep and find a key, the same as Unkey's: base64 of its hash, 44 characters.
/// @param digest SHA-256 of the full key, prefix included; also what the caches are keyed by.
[[nodiscard]] std::string hash_text(const crypto::digest256& digest);

/// What of a key may be shown to tell it from others: the prefix and four characters.
/// @return a view into `key`.
[[nodiscard]] std::string_view key_start(std::string_view key) noexcept;

/// A new key id: `key_` and 20 random letters and digits (119 bits). Not secret.
[[nodiscard]] std::string make_key_id();

}  // namespace concurred::auth
