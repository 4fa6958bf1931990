#include "crypto/aes_gcm.hpp"

#include "crypto/bytes.hpp"
#include "crypto/openssl_handles.hpp"

#include <openssl/err.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>

namespace concurred::crypto {

namespace {

constexpr std::size_t longest = std::size_t{1} << 20;  // what is sealed here are keys

const EVP_CIPHER* cipher() {
    static const cipher_handle fetched(EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr));
    if (fetched == nullptr) {
        fail_stop("AES-256-GCM is not available");
    }
    return fetched.get();
}

bool sizes_fit(std::string_view key, std::string_view nonce, std::string_view aad, std::size_t text) noexcept {
    return key.size() == gcm_key_bytes && nonce.size() == gcm_nonce_bytes && aad.size() <= longest && text <= longest;
}

const unsigned char* data_of(std::string_view text) noexcept {
    return to_bytes(text).data();
}

}  // namespace

std::optional<std::string> aes256_gcm_seal(std::string_view key, std::string_view nonce, std::string_view aad,
                                           std::string_view plaintext) {
    if (!sizes_fit(key, nonce, aad, plaintext.size())) {
        return std::nullopt;
    }
    const cipher_ctx_handle context(EVP_CIPHER_CTX_new());
    std::string out(plaintext.size() + gcm_tag_bytes, '\0');
    auto* const to = reinterpret_cast<unsigned char*>(out.data());
    int written = 0;
    int rest = 0;
    int ignored = 0;
    const bool done =
        context != nullptr &&
        EVP_EncryptInit_ex2(context.get(), cipher(), data_of(key), data_of(nonce), nullptr) == 1 &&
        EVP_EncryptUpdate(context.get(), nullptr, &ignored, data_of(aad), static_cast<int>(aad.size())) == 1 &&
        EVP_EncryptUpdate(context.get(), to, &written, data_of(plaintext), static_cast<int>(plaintext.size())) == 1 &&
        EVP_EncryptFinal_ex(context.get(), to + written, &rest) == 1 &&
        static_cast<std::size_t>(written + rest) == plaintext.size() &&
        EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, static_cast<int>(gcm_tag_bytes),
                            to + plaintext.size()) == 1;
    ERR_clear_error();
    return done ? std::optional(std::move(out)) : std::nullopt;
}

std::optional<secret_string> aes256_gcm_open(std::string_view key, std::string_view nonce, std::string_view aad,
                                             std::string_view sealed) {
    if (sealed.size() < gcm_tag_bytes || !sizes_fit(key, nonce, aad, sealed.size())) {
        return std::nullopt;
    }
    const std::string_view ciphertext = sealed.substr(0, sealed.size() - gcm_tag_bytes);
    std::array<unsigned char, gcm_tag_bytes> tag;
    const auto tag_bytes = to_bytes(sealed.substr(ciphertext.size()));
    std::copy(tag_bytes.begin(), tag_bytes.end(), tag.begin());
    const cipher_ctx_handle context(EVP_CIPHER_CTX_new());
    // OpenSSL hands the text out before it has checked the tag, so it goes into a buffer that is wiped unless all is
    // well.
    secret_string text = secret_string::of_size(ciphertext.size());
    auto* const to = reinterpret_cast<unsigned char*>(text.writable().data());
    int written = 0;
    int rest = 0;
    int ignored = 0;
    std::array<unsigned char, 16> nothing;
    const bool good =
        context != nullptr &&
        EVP_DecryptInit_ex2(context.get(), cipher(), data_of(key), data_of(nonce), nullptr) == 1 &&
        EVP_DecryptUpdate(context.get(), nullptr, &ignored, data_of(aad), static_cast<int>(aad.size())) == 1 &&
        EVP_DecryptUpdate(context.get(), to != nullptr ? to : nothing.data(), &written, data_of(ciphertext),
                          static_cast<int>(ciphertext.size())) == 1 &&
        EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_TAG, static_cast<int>(tag.size()), tag.data()) == 1 &&
        EVP_DecryptFinal_ex(context.get(), nothing.data(), &rest) == 1 && rest == 0 &&
        static_cast<std::size_t>(written) == ciphertext.size();
    ERR_clear_error();
    return good ? std::optional(std::move(text)) : std::nullopt;
}

}  // namespace concurred::crypto
