#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace concurred::base {

/// A character and the number of bytes it was read from.
struct utf8_character {
    char32_t value = 0xFFFD;
    std::size_t length = 1;
    bool valid = false;  ///< false: the byte starts no valid sequence; `value` is U+FFFD and `length` 1
};

/// The first character of `text` (RFC 3629, section 4).
/// \param text  at least one byte
[[nodiscard]] constexpr utf8_character first_character(std::string_view text) noexcept {
    const auto byte = [text](std::size_t i) noexcept { return static_cast<std::uint8_t>(text[i]); };
    const std::uint8_t first = byte(0);
    if (first < 0x80) {
        return {first, 1, true};
    }
    const std::size_t length = first < 0xC2 ? 0 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : first < 0xF5 ? 4 : 0;
    if (length == 0 || text.size() < length) {
        return {};
    }
    // The second byte's range excludes overlong forms, surrogates and what lies above U+10FFFF.
    const std::uint8_t low = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
    const std::uint8_t high = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
    if (byte(1) < low || byte(1) > high) {
        return {};
    }
    char32_t value = first & (0x7Fu >> length);
    for (std::size_t i = 1; i < length; ++i) {
        if ((byte(i) & 0xC0) != 0x80) {
            return {};
        }
        value = (value << 6) | (byte(i) & 0x3Fu);
    }
    return {value, length, true};
}

}  // namespace concurred::base
