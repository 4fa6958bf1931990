#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace concurred::http {

/// Classes of octets, as RFC 9110 5.6 and RFC 3986 define them.
enum : std::uint8_t {
    octet_token = 1,   ///< tchar
    octet_target = 2,  ///< allowed in a request target
    octet_value = 4,   ///< allowed in a field value: VCHAR, obs-text, SP, HTAB
    octet_host = 8,    ///< allowed in a host name or IPv4 address
    octet_hex = 16,
};

inline constexpr std::array<std::uint8_t, 256> octet_classes = [] {
    std::array<std::uint8_t, 256> table{};
    const auto mark = [&table](std::string_view octets, std::uint8_t bit) {
        for (const char c : octets) {
            table[static_cast<unsigned char>(c)] |= bit;
        }
    };
    for (char c = 'a'; c <= 'z'; ++c) {
        table[static_cast<unsigned char>(c)] |= octet_token | octet_target | octet_host;
        table[static_cast<unsigned char>(c - 'a' + 'A')] |= octet_token | octet_target | octet_host;
    }
    mark("0123456789", octet_token | octet_target | octet_host | octet_hex);
    mark("abcdefABCDEF", octet_hex);
    mark("!#$%&'*+-.^_`|~", octet_token);
    mark("-._~:/?@!$&'()*+,;=%", octet_target);
    mark("-._~", octet_host);
    for (unsigned c = 0x20; c < 0x100; ++c) {
        if (c != 0x7f) {
            table[c] |= octet_value;
        }
    }
    table['\t'] |= octet_value;
    return table;
}();

[[nodiscard]] constexpr bool is_octet(char c, std::uint8_t classes) noexcept {
    return (octet_classes[static_cast<unsigned char>(c)] & classes) != 0;
}

/// Whether `text` is one or more octets of the class.
[[nodiscard]] constexpr bool all_octets(std::string_view text, std::uint8_t classes) noexcept {
    for (const char c : text) {
        if (!is_octet(c, classes)) {
            return false;
        }
    }
    return !text.empty();
}

}  // namespace concurred::http
