#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace concurred::base {

/// Text of at most `N` bytes kept in place, so that records holding it are copied without an allocation.
/// Longer input is cut at `N`: bound what you store where it enters the program.
template <std::size_t N>
class fixed_text {
    static_assert(N <= 65535);

public:
    fixed_text() = default;
    fixed_text(std::string_view text) noexcept { *this = text; }  // NOLINT(google-explicit-constructor)

    fixed_text& operator=(std::string_view text) noexcept {
        size_ = static_cast<std::uint16_t>(std::min(text.size(), N));
        if (size_ != 0) {
            std::memcpy(bytes_.data(), text.data(), size_);
        }
        return *this;
    }

    [[nodiscard]] std::string_view view() const noexcept { return {bytes_.data(), size_}; }
    [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
    friend bool operator==(const fixed_text& a, std::string_view b) noexcept { return a.view() == b; }

private:
    std::uint16_t size_ = 0;
    std::array<char, N> bytes_;  // only the first size_ bytes are ever read
};

}  // namespace concurred::base
