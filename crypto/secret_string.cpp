#include "crypto/secret_string.hpp"

#include <openssl/crypto.h>

#include <cstring>
#include <new>

namespace concurred::crypto {

secret_string::secret_string(std::string_view text) {
    if (text.empty()) {
        return;
    }
    bytes_ = static_cast<char*>(OPENSSL_malloc(text.size()));
    if (bytes_ == nullptr) {
        throw std::bad_alloc();
    }
    std::memcpy(bytes_, text.data(), text.size());
    size_ = text.size();
}

secret_string::secret_string(std::string&& text) : secret_string(std::string_view(text)) {
    // The capacity, not the size: the string may have held a longer text before.
    text.resize(text.capacity());
    OPENSSL_cleanse(text.data(), text.size());
    text.clear();
}

secret_string secret_string::of_size(std::size_t size) {
    secret_string made;
    if (size != 0) {
        made.bytes_ = static_cast<char*>(OPENSSL_zalloc(size));
        if (made.bytes_ == nullptr) {
            throw std::bad_alloc();
        }
        made.size_ = size;
    }
    return made;
}

secret_string& secret_string::operator=(secret_string&& other) noexcept {
    if (this != &other) {
        OPENSSL_clear_free(bytes_, size_);
        bytes_ = std::exchange(other.bytes_, nullptr);
        size_ = std::exchange(other.size_, 0);
    }
    return *this;
}

secret_string::~secret_string() {
    OPENSSL_clear_free(bytes_, size_);
}

std::string secret_string::masked() const {
    constexpr std::size_t shown = 4;
    constexpr std::size_t shortest = 12;  // below that four characters would be too much of the secret
    std::string text = "***";
    if (size_ >= shortest) {
        text += reveal().substr(size_ - shown);
    }
    return text;
}

}  // namespace concurred::crypto
