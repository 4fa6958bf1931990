#pragma once

#include "auth/key_answer.hpp"
#include "crypto/digest.hpp"
#include "crypto/secret_string.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace concurred::auth {

/// What the replicas tell each other about keys, as text in a store that others may be able to write to: every record
/// carries a code that only holders of the secret can make, bound to the place it stands at. Without the secret, nobody
/// can make a key, move one key's record to another, or join the places with the hashes in a key table.
class key_record_codec {
public:
    /// @param secret what all replicas share: the master key, or else the key they verify keys with. Any text.
    explicit key_record_codec(std::string_view secret);

    /// Name of the place of a key: 64 hexadecimal digits of an HMAC over its digest.
    [[nodiscard]] std::string place_of(const crypto::digest256& digest) const;

    /// @param epoch number of the change, or of the last one before the key was verified: the text begins with it and
    /// a colon, for the comparison in the store
    /// @param place where the text will stand
    [[nodiscard]] std::string encode(std::string_view place, std::uint64_t epoch, const key_answer& answer) const;

    enum class fault : std::uint8_t { none, version, forged };
    struct decoded {
        fault wrong = fault::none;
        std::uint64_t epoch = 0;
        key_answer answer{};
    };
    /// What stands at `place`. Another version counts as nothing; a wrong code, or a text that is no record, is
    /// `forged`.
    [[nodiscard]] decoded decode(std::string_view place, std::string_view text) const;

private:
    [[nodiscard]] std::string code_of(std::string_view place, std::string_view signed_text) const;

    crypto::secret_string place_key_;
    crypto::secret_string code_key_;
};

}  // namespace concurred::auth
