#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace concurred::crypto {

/// Owns the bytes of a secret and wipes them when it lets go of them. Cannot be copied by accident, printed or turned
/// into a string without saying `reveal`. The bytes never move in memory, so no copy of them is left behind.
class secret_string {
public:
    secret_string() noexcept = default;
    /// Copies `text`: the caller's own copy stays as it is.
    explicit secret_string(std::string_view text);
    /// Copies `text`, wipes all of its memory and leaves it empty.
    explicit secret_string(std::string&& text);
    /// @param text ended by a zero byte; not null.
    explicit secret_string(const char* text) : secret_string(std::string_view(text)) {}

    /// A secret of `size` zero bytes, to be written through `writable`.
    [[nodiscard]] static secret_string of_size(std::size_t size);

    secret_string(secret_string&& other) noexcept
        : bytes_(std::exchange(other.bytes_, nullptr)), size_(std::exchange(other.size_, 0)) {}
    secret_string& operator=(secret_string&& other) noexcept;
    secret_string(const secret_string&) = delete;
    secret_string& operator=(const secret_string&) = delete;
    ~secret_string();

    /// The secret itself. The view is valid as long as this object lives and is not assigned to or moved from.
    [[nodiscard]] std::string_view reveal() const noexcept { return {bytes_, size_}; }
    /// The bytes, for whoever makes the secret.
    [[nodiscard]] std::span<char> writable() noexcept { return {bytes_, size_}; }
    /// Length in bytes.
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] bool empty() const noexcept { return size_ == 0; }

    /// What may be shown: `***`, and behind it the last four characters if the secret has at least twelve.
    [[nodiscard]] std::string masked() const;

private:
    char* bytes_ = nullptr;  // from OpenSSL's allocator; null if and only if empty
    std::size_t size_ = 0;
};

}  // namespace concurred::crypto
