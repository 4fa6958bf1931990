#pragma once

#include "crypto/openssl_handles.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace concurred::crypto {

/// 32 bytes: a SHA-256 hash, an HMAC-SHA-256 or a derived key.
using digest256 = std::array<std::uint8_t, 32>;

/// Computes SHA-256 (FIPS 180-4) again and again: the algorithm is looked up once and one context is reused, which
/// takes about a quarter of the time of OpenSSL's one-shot call. Nothing is allocated here, but OpenSSL 3.0 renews the
/// inner state of a reused context, one small block per call; OpenSSL 3.1 and later keep it. Owned by one shard; not
/// thread-safe.
class sha256_hasher {
public:
    /// Looks SHA-256 up. Ends the process when the library does not offer it (`fail_stop`).
    sha256_hasher();

    /// @param data any bytes, may be empty.
    /// @return their hash. Ends the process if the library fails, which it has no reason to: see `fail_stop`.
    [[nodiscard]] digest256 operator()(std::string_view data) noexcept;

private:
    md_handle algorithm_;
    md_ctx_handle context_;
};

/// HMAC-SHA-256 (RFC 2104).
/// @param key any length, may be empty. @param data any bytes.
/// @return the code. Ends the process if the library fails: see `fail_stop`.
[[nodiscard]] digest256 hmac_sha256(std::string_view key, std::string_view data);

/// HKDF with SHA-256 (RFC 5869), extract and expand, for exactly 32 bytes of output.
/// @param key the input keying material. @param salt may be empty. @param info the label that separates uses of a key.
/// @return the derived key: the caller cleanses it. Ends the process if the library fails: see `fail_stop`.
[[nodiscard]] digest256 hkdf_sha256(std::string_view key, std::string_view salt, std::string_view info);

/// SHA-1 (FIPS 180-4) in lower-case hexadecimal: the name that Redis gives to a script. Not for anything secret.
/// Ends the process if the library fails: see `fail_stop`.
[[nodiscard]] std::string sha1_hex(std::string_view data);

/// Compares two secrets in a time that depends on their lengths only.
/// @return whether both are equal; at once false when the lengths differ.
[[nodiscard]] bool equal_constant_time(std::string_view a, std::string_view b) noexcept;

}  // namespace concurred::crypto
