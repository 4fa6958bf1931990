#include "crypto/random.hpp"

#include "crypto/openssl_handles.hpp"

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include <algorithm>
#include <cstring>
#include <string_view>

namespace concurred::crypto {

namespace {

/// Calls `generate` in steps that fit its int parameter.
template <class Generate>
bool fill_in_steps(std::span<std::uint8_t> out, Generate generate) noexcept {
    constexpr std::size_t step = std::size_t{1} << 20;
    while (!out.empty()) {
        const std::size_t n = std::min(out.size(), step);
        if (generate(out.data(), static_cast<int>(n)) != 1) {
            return false;
        }
        out = out.subspan(n);
    }
    return true;
}

}  // namespace

base::result<void> fill_random(std::span<std::uint8_t> out) {
    if (!fill_in_steps(out, RAND_priv_bytes)) {
        return base::gateway_error(base::errc::internal, "no random bytes: " + openssl_reason());
    }
    return {};
}

random_pool::~random_pool() {
    OPENSSL_cleanse(bytes_.data(), bytes_.size());
}

void random_pool::fill(std::span<std::uint8_t> out) noexcept {
    while (!out.empty()) {
        if (next_ == capacity) {
            if (RAND_bytes(bytes_.data(), static_cast<int>(capacity)) != 1) {
                fail_stop("random bytes");
            }
            next_ = 0;
        }
        const std::size_t n = std::min(out.size(), capacity - next_);
        std::memcpy(out.data(), bytes_.data() + next_, n);
        OPENSSL_cleanse(bytes_.data() + next_, n);
        next_ += n;
        out = out.subspan(n);
    }
}

base::event_id make_event_id(std::int64_t unix_ms, random_pool& pool) noexcept {
    base::event_id id;
    pool.fill(std::span(id).subspan(6));
    const auto ms = static_cast<std::uint64_t>(std::max<std::int64_t>(unix_ms, 0));
    for (std::size_t i = 0; i < 6; ++i) {
        id[i] = static_cast<std::uint8_t>(ms >> (40 - 8 * i));
    }
    id[6] = static_cast<std::uint8_t>(0x70 | (id[6] & 0x0f));  // version 7
    id[8] = static_cast<std::uint8_t>(0x80 | (id[8] & 0x3f));  // variant 10
    return id;
}

void to_chars(const base::event_id& id, std::span<char, event_id_chars> out) noexcept {
    constexpr std::string_view digits = "0123456789abcdef";
    std::size_t at = 0;
    for (std::size_t i = 0; i < id.size(); ++i) {
        if (i == 4 || i == 6 || i == 8 || i == 10) {
            out[at++] = '-';
        }
        out[at++] = digits[id[i] >> 4];
        out[at++] = digits[id[i] & 0x0f];
    }
}

std::string to_text(const base::event_id& id) {
    std::string text(event_id_chars, '\0');
    to_chars(id, std::span<char, event_id_chars>(text));
    return text;
}

std::string random_alphanumeric(std::size_t n) {
    constexpr std::string_view alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    // Bytes above the last whole multiple of the alphabet's size are dropped: taking them modulo would favour its
    // start.
    constexpr std::size_t usable = 256 - 256 % alphabet.size();
    std::string text;
    text.reserve(n);
    std::array<std::uint8_t, 64> bytes;
    while (text.size() < n) {
        if (!fill_in_steps(bytes, RAND_priv_bytes)) {
            fail_stop("random bytes");
        }
        for (const std::uint8_t byte : bytes) {
            if (byte < usable && text.size() < n) {
                text.push_back(alphabet[byte % alphabet.size()]);
            }
        }
    }
    OPENSSL_cleanse(bytes.data(), bytes.size());
    return text;
}

}  // namespace concurred::crypto
