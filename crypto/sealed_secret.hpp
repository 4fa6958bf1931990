#pragma once

#include "crypto/key_ring.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace concurred::crypto {

/// Where a sealed secret belongs. It can be opened there and nowhere else: moved to another row, owner or provider it
/// is worth nothing.
struct seal_place {
    std::string_view table;
    std::string_view row_id;
    std::string_view owner;
    std::string_view provider;
};

/// Seals a secret with AES-256-GCM, under a key of its own that is derived from the ring's active key by HKDF-SHA-256
/// with a random salt, so that no number of secrets wears the master key out. The place is authenticated with it.
/// @param secret at most 4 KiB
/// @return text without spaces: "cpk1." and base64url of
///   version(1) ‖ algorithm(1) ‖ length of key id(1) ‖ key id ‖ salt(32) ‖ nonce(12) ‖ ciphertext ‖ tag(16)
/// Errors: errc::internal without a key in the ring, or without randomness. Source: identity.md 6.
[[nodiscard]] base::result<std::string> seal(const key_ring& ring, std::string_view secret, const seal_place& place);

/// Why a sealed secret cannot be opened; for a metric and the operator, not for the caller.
enum class unseal_fault { none, malformed, unknown_key, forged };

struct unsealed {
    unseal_fault fault = unseal_fault::malformed;
    secret_string secret;  ///< when there is no fault
};

/// Opens what `seal` has made. Any change of the text, the key or the place is noticed.
[[nodiscard]] unsealed unseal(const key_ring& ring, std::string_view sealed, const seal_place& place);

/// The name of the master key that a text was sealed with; nothing when it is not such a text.
[[nodiscard]] std::optional<std::string> sealing_key_of(std::string_view sealed);

}  // namespace concurred::crypto
