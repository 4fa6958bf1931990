#include "crypto/digest.hpp"

#include "crypto/bytes.hpp"

#include <openssl/crypto.h>

#include <string>

namespace concurred::crypto {

sha256_hasher::sha256_hasher() : algorithm_(EVP_MD_fetch(nullptr, "SHA256", nullptr)), context_(EVP_MD_CTX_new()) {
    if (algorithm_ == nullptr || context_ == nullptr) {
        fail_stop("SHA-256 is not available");
    }
}

digest256 sha256_hasher::operator()(std::string_view data) noexcept {
    digest256 hash;
    unsigned size = 0;
    if (EVP_DigestInit_ex2(context_.get(), algorithm_.get(), nullptr) != 1 ||
        EVP_DigestUpdate(context_.get(), data.data(), data.size()) != 1 ||
        EVP_DigestFinal_ex(context_.get(), hash.data(), &size) != 1 || size != hash.size()) {
        fail_stop("SHA-256");
    }
    return hash;
}

digest256 hmac_sha256(std::string_view key, std::string_view data) {
    digest256 code;
    std::size_t size = 0;
    // A null key would mean "no key was set" to OpenSSL, not "an empty key".
    const char* key_data = key.data() != nullptr ? key.data() : "";
    if (EVP_Q_mac(nullptr, "HMAC", nullptr, "SHA256", nullptr, key_data, key.size(), to_bytes(data).data(), data.size(),
                  code.data(), code.size(), &size) == nullptr ||
        size != code.size()) {
        fail_stop("HMAC-SHA-256");
    }
    return code;
}

digest256 hkdf_sha256(std::string_view key, std::string_view salt, std::string_view info) {
    // 32 bytes are one block of output, so expanding is a single HMAC. An empty salt is a salt of zeros (RFC 5869 2.2),
    // which is what HMAC pads an empty key to.
    digest256 extracted = hmac_sha256(salt, key);
    std::string block(info);
    block.push_back('\x01');
    const digest256 derived = hmac_sha256(to_view(extracted), block);
    OPENSSL_cleanse(extracted.data(), extracted.size());
    return derived;
}

std::string sha1_hex(std::string_view data) {
    std::array<std::uint8_t, 20> hash;
    unsigned size = 0;
    if (EVP_Digest(data.data(), data.size(), hash.data(), &size, EVP_sha1(), nullptr) != 1 || size != hash.size()) {
        fail_stop("SHA-1");
    }
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text;
    for (const std::uint8_t byte : hash) {
        text += digits[byte >> 4];
        text += digits[byte & 0xF];
    }
    return text;
}

bool equal_constant_time(std::string_view a, std::string_view b) noexcept {
    return a.size() == b.size() && (a.empty() || CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0);
}

}  // namespace concurred::crypto
