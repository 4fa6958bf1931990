#include "crypto/key_ring.hpp"

#include "crypto/bytes.hpp"
#include "crypto/digest.hpp"
#include "crypto/encoding.hpp"
#include "crypto/master_key.hpp"

#include <algorithm>
#include <utility>

namespace concurred::crypto {

namespace {

constexpr std::size_t longest_id = 32;
constexpr std::string_view separators = ", \t\r\n";

bool is_id(std::string_view text) noexcept {
    return !text.empty() && text.size() <= longest_id && std::ranges::all_of(text, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
    });
}

/// Eight hexadecimal digits: enough to tell a handful of keys apart, and of no help in finding one.
std::string derived_id(std::string_view key) {
    const digest256 digest = hkdf_sha256(key, {}, "gw/key-id/v1");
    return "k" + hex_encode(to_view(digest).substr(0, 4));
}

base::error bad_ring(std::string why) {
    return base::gateway_error(base::errc::internal, std::move(why));
}

}  // namespace

base::result<key_ring> key_ring::parse(std::string_view text) {
    key_ring ring;
    while (true) {
        const std::size_t begin = text.find_first_not_of(separators);
        if (begin == std::string_view::npos) {
            break;
        }
        const std::size_t end = std::min(text.find_first_of(separators, begin), text.size());
        std::string_view entry = text.substr(begin, end - begin);
        text.remove_prefix(end);

        std::string id;
        if (const std::size_t colon = entry.find(':'); colon != std::string_view::npos) {
            if (!is_id(entry.substr(0, colon))) {
                return bad_ring("the name of a master key must be 1 to 32 letters, digits, '-' or '_'");
            }
            id = std::string(entry.substr(0, colon));
            entry.remove_prefix(colon + 1);
        }
        auto key = parse_master_key(entry);
        if (!key) {
            return std::move(key).error();
        }
        if (id.empty()) {
            id = derived_id(key->reveal());
        }
        for (const named& other : ring.keys_) {
            if (other.id == id || equal_constant_time(other.key.reveal(), key->reveal())) {
                return bad_ring("the master keys '" + other.id + "' and '" + id +
                                "' have the same name or are the same key");
            }
        }
        ring.keys_.push_back({std::move(id), std::move(*key)});
    }
    return ring;
}

std::string_view key_ring::find(std::string_view id) const noexcept {
    const auto found = std::ranges::find(keys_, id, &named::id);
    return found == keys_.end() ? std::string_view() : found->key.reveal();
}

}  // namespace concurred::crypto
