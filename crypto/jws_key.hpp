#pragma once

#include "crypto/openssl_handles.hpp"
#include "crypto/secret_string.hpp"
#include "gateway/base/error.hpp"

#include <cstdint>
#include <string_view>

namespace concurred::crypto {

/// The signatures of JSON Web Signature that are checked here (RFC 7518 3.1). There is no other, and no "none".
enum class jws_algorithm : std::uint8_t { hs256, es256, rs256 };

/// The name as it stands in the header's `alg`.
[[nodiscard]] std::string_view name_of(jws_algorithm algorithm) noexcept;

/// A key that signatures are checked with. The key decides the algorithm: nothing in a token can make an RSA key's
/// public half be taken for a shared secret. Immutable; checking from several threads at once is safe.
class jws_key {
public:
    /// A shared secret. Errors: errc::internal when it is empty.
    [[nodiscard]] static base::result<jws_key> hs256(secret_string secret);
    /// A point on P-256. @param x, y 32 bytes each, big-endian.
    /// Errors: errc::internal for other lengths and points that are not on the curve.
    [[nodiscard]] static base::result<jws_key> es256(std::string_view x, std::string_view y);
    /// @param n modulus of 2048 ... 8192 bits, @param e public exponent; big-endian without leading zeros.
    /// Errors: errc::internal for sizes outside of that and for an exponent that is even, 1 or above 2^32.
    [[nodiscard]] static base::result<jws_key> rs256(std::string_view n, std::string_view e);

    [[nodiscard]] jws_algorithm algorithm() const noexcept { return algorithm_; }

    /// Whether `signature` (decoded) is this key's over `signed_text` (header and payload as sent, with their dot).
    /// HS256 is compared in constant time; ES256 is r and s, exactly 64 bytes; RS256 has the modulus' size.
    [[nodiscard]] bool verify(std::string_view signed_text, std::string_view signature) const noexcept;

private:
    explicit jws_key(jws_algorithm algorithm) noexcept : algorithm_(algorithm) {}

    jws_algorithm algorithm_;
    secret_string secret_;
    pkey_handle public_key_;
};

}  // namespace concurred::crypto
