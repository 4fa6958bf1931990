#include "auth/api_key_format.hpp"

#include "crypto/bytes.hpp"
#include "crypto/encoding.hpp"
#include "crypto/random.hpp"

#include <openssl/crypto.h>

#include <array>

namespace concurred::auth {

base::result<crypto::secret_string> make_api_key(std::span<const std::uint8_t> secret) {
    if (secret.size() < min_key_bytes || secret.size() > max_key_bytes) {
        return base::gateway_error(base::errc::internal, "An API key has 16 to 255 random bytes.");
    }
    std::string encoded = crypto::base58_encode(crypto::to_view(secret));
    std::string key;
    key.reserve(api_key_prefix.size() + encoded.size());
    key.append(api_key_prefix).append(encoded);
    OPENSSL_cleanse(encoded.data(), encoded.size());
    return crypto::secret_string(std::move(key));
}

base::result<crypto::secret_string> generate_api_key(std::size_t bytes) {
    if (bytes > max_key_bytes) {
        return base::gateway_error(base::errc::internal, "An API key has 16 to 255 random bytes.");
    }
    std::array<std::uint8_t, max_key_bytes> buffer;
    const auto secret = std::span(buffer).first(bytes);
    if (auto filled = crypto::fill_random(secret); !filled) {
        return filled.error();
    }
    auto key = make_api_key(secret);
    OPENSSL_cleanse(buffer.data(), buffer.size());
    return key;
}

std::string hash_text(const crypto::digest256& digest) {
    return crypto::base64_encode(crypto::to_view(digest));
}

std::string_view key_start(std::string_view key) noexcept {
    return key.substr(0, api_key_prefix.size() + 4);
}

std::string make_key_id() {
    return "key_" + crypto::random_alphanumeric(20);
}

}  // namespace concurred::auth
