#pragma once

#include "crypto/secret_string.hpp"
#include "gateway/base/error.hpp"

#include <cstddef>
#include <string_view>

namespace concurred::crypto {

/// Length of the key that everything sealed at rest is derived from.
inline constexpr std::size_t master_key_bytes = 32;

/// Reads a master key as it stands in the configuration: base64 with padding of exactly 32 bytes, 44 characters. White
/// space around it is dropped, since files end with a line break.
/// @return the 32 bytes; or errc::internal with a message that says what is wrong and what is allowed, never the text
/// itself. Refused are: nothing, hexadecimal, URL-safe or unpadded base64, other lengths, and 32 times the same byte.
[[nodiscard]] base::result<secret_string> parse_master_key(std::string_view text);

/// @return 32 new random bytes as base64 text that `parse_master_key` accepts; errc::internal when there is no
/// randomness.
[[nodiscard]] base::result<secret_string> generate_master_key();

}  // namespace concurred::crypto
