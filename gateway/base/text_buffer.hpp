#pragma once

#include <array>
#include <charconv>
#include <concepts>
#include <cstddef>
#include <cstring>
#include <string_view>

namespace concurred::base {

/// Text built in place, at most `N` bytes. What does not fit is dropped whole and `overflowed` says so: a header line
/// is never cut in the middle.
template <std::size_t N>
class text_buffer {
public:
    text_buffer& append(std::string_view text) noexcept {
        if (text.size() > N - size_) {
            overflowed_ = true;
            return *this;
        }
        std::memcpy(bytes_.data() + size_, text.data(), text.size());
        size_ += text.size();
        return *this;
    }

    template <std::integral Integer>
    text_buffer& append(Integer value) noexcept {
        std::array<char, 24> digits;
        const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
        return append(std::string_view(digits.data(), static_cast<std::size_t>(end - digits.data())));
    }

    /// Appends `name: value CR LF`, all or nothing.
    text_buffer& field(std::string_view name, std::string_view value) noexcept {
        if (name.size() + value.size() + 4 > N - size_) {
            overflowed_ = true;
            return *this;
        }
        return append(name).append(": ").append(value).append("\r\n");
    }

    [[nodiscard]] std::string_view view() const noexcept { return {bytes_.data(), size_}; }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] bool overflowed() const noexcept { return overflowed_; }
    void clear() noexcept {
        size_ = 0;
        overflowed_ = false;
    }

private:
    std::size_t size_ = 0;
    bool overflowed_ = false;
    std::array<char, N> bytes_;  // only the first size_ bytes are ever read
};

}  // namespace concurred::base
