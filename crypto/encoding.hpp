#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace concurred::crypto {

// All of these take and give bytes as text; see `to_view` for arrays. The decoders are strict: one text per value, so
// that two different texts never pass for the same key or token. They return nothing for anything else: white space,
// characters outside the alphabet, missing or superfluous padding, bits set after the last byte.

/// Base58 with Bitcoin's alphabet; every leading zero byte becomes a '1'. No checksum.
/// @param data at most a few hundred bytes: the cost grows with the square of the length.
[[nodiscard]] std::string base58_encode(std::string_view data);

/// Base64 with padding (RFC 4648 4).
[[nodiscard]] std::string base64_encode(std::string_view data);
[[nodiscard]] std::optional<std::string> base64_decode(std::string_view text);

/// Base64 with the URL-safe alphabet and without padding (RFC 4648 5), as JOSE uses it.
[[nodiscard]] std::string base64url_encode(std::string_view data);
[[nodiscard]] std::optional<std::string> base64url_decode(std::string_view text);

/// Hexadecimal with lower-case letters; the decoder takes no upper-case ones.
[[nodiscard]] std::string hex_encode(std::string_view data);
[[nodiscard]] std::optional<std::string> hex_decode(std::string_view text);

}  // namespace concurred::crypto
