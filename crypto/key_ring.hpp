#pragma once

#include "crypto/secret_string.hpp"
#include "gateway/base/error.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace concurred::crypto {

/// The master keys: the first seals, all of them open. To rotate, a new one is put in front, everything is sealed again
/// with it, and the old one is taken out. Immutable; may be read from several threads.
class key_ring {
public:
    /// No keys: nothing can be sealed or opened.
    key_ring() = default;

    /// Reads `secrets.master_key`: one or more keys separated by commas or white space, each base64 of 32 bytes as
    /// `parse_master_key` takes it, or with a name of up to 32 letters, digits, '-' and '_' in front of it:
    /// "2026-11:…". A key without a name gets one that is derived from it, so its place in the list does not matter.
    /// Errors: errc::internal that says what is wrong, never with a key in it; a name or a key that is there twice.
    [[nodiscard]] static base::result<key_ring> parse(std::string_view text);

    [[nodiscard]] bool empty() const noexcept { return keys_.empty(); }
    [[nodiscard]] std::size_t size() const noexcept { return keys_.size(); }
    /// Name of the key that seals. @pre not empty
    [[nodiscard]] const std::string& active_id() const noexcept { return keys_.front().id; }
    /// The key that seals, 32 bytes. @pre not empty
    [[nodiscard]] std::string_view active() const noexcept { return keys_.front().key.reveal(); }
    /// The key of that name; empty when there is none.
    [[nodiscard]] std::string_view find(std::string_view id) const noexcept;

private:
    struct named {
        std::string id;
        secret_string key;
    };
    std::vector<named> keys_;
};

}  // namespace concurred::crypto
