#include "crypto/encoding.hpp"

#include "crypto/bytes.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

namespace concurred::crypto {

namespace {

constexpr std::string_view base58_alphabet = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
constexpr std::string_view base64_alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view base64url_alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::string_view hex_alphabet = "0123456789abcdef";

constexpr std::uint8_t no_digit = 0xff;
using digit_table = std::array<std::uint8_t, 256>;

constexpr digit_table make_digits(std::string_view alphabet) {
    digit_table digits{};
    digits.fill(no_digit);
    for (std::size_t i = 0; i < alphabet.size(); ++i) {
        digits[static_cast<std::uint8_t>(alphabet[i])] = static_cast<std::uint8_t>(i);
    }
    return digits;
}

constexpr digit_table base64_digits = make_digits(base64_alphabet);
constexpr digit_table base64url_digits = make_digits(base64url_alphabet);
constexpr digit_table hex_digits = make_digits(hex_alphabet);

std::string encode_groups(std::string_view data, std::string_view alphabet) {
    std::string text;
    text.reserve((data.size() + 2) / 3 * 4);
    std::uint32_t bits = 0;
    unsigned held = 0;  // low bits of `bits` not written yet
    for (const std::uint8_t byte : to_bytes(data)) {
        bits = bits << 8 | byte;
        held += 8;
        while (held >= 6) {
            held -= 6;
            text.push_back(alphabet[bits >> held & 0x3f]);
        }
    }
    if (held != 0) {
        text.push_back(alphabet[bits << (6 - held) & 0x3f]);
    }
    return text;
}

std::optional<std::string> decode_groups(std::string_view text, const digit_table& digits) {
    if (text.size() % 4 == 1) {
        return std::nullopt;
    }
    std::string data;
    data.reserve(text.size() / 4 * 3 + 2);
    std::uint32_t bits = 0;
    unsigned held = 0;
    for (const std::uint8_t c : to_bytes(text)) {
        const std::uint8_t digit = digits[c];
        if (digit == no_digit) {
            return std::nullopt;
        }
        bits = bits << 6 | digit;
        held += 6;
        if (held >= 8) {
            held -= 8;
            data.push_back(static_cast<char>(bits >> held & 0xff));
        }
    }
    if ((bits & ((1U << held) - 1)) != 0) {
        return std::nullopt;
    }
    return data;
}

}  // namespace

std::string base58_encode(std::string_view data) {
    const std::size_t zeros = std::min(data.find_first_not_of('\0'), data.size());
    data.remove_prefix(zeros);
    // log(256) / log(58) < 1.38 digits per byte; `digits` holds the number with its last digit at the end.
    std::string digits(data.size() * 138 / 100 + 1, '\0');
    std::size_t used = 0;
    for (const std::uint8_t byte : to_bytes(data)) {
        std::uint32_t carry = byte;
        std::size_t i = 0;
        for (; i < used || carry != 0; ++i) {
            char& digit = digits[digits.size() - 1 - i];
            carry += 256U * static_cast<std::uint8_t>(digit);
            digit = static_cast<char>(carry % 58);
            carry /= 58;
        }
        used = i;
    }
    std::string text(zeros, '1');
    text.reserve(zeros + used);
    for (const char digit : std::string_view(digits).substr(digits.size() - used)) {
        text.push_back(base58_alphabet[static_cast<std::uint8_t>(digit)]);
    }
    return text;
}

std::string base64_encode(std::string_view data) {
    std::string text = encode_groups(data, base64_alphabet);
    text.append((4 - text.size() % 4) % 4, '=');
    return text;
}

std::optional<std::string> base64_decode(std::string_view text) {
    if (text.size() % 4 != 0) {
        return std::nullopt;
    }
    // At most two: a third '=' is left over and refused as a character outside the alphabet.
    for (int i = 0; i < 2 && text.ends_with('='); ++i) {
        text.remove_suffix(1);
    }
    return decode_groups(text, base64_digits);
}

std::string base64url_encode(std::string_view data) {
    return encode_groups(data, base64url_alphabet);
}

std::optional<std::string> base64url_decode(std::string_view text) {
    return decode_groups(text, base64url_digits);
}

std::string hex_encode(std::string_view data) {
    std::string text;
    text.reserve(data.size() * 2);
    for (const std::uint8_t byte : to_bytes(data)) {
        text.push_back(hex_alphabet[byte >> 4]);
        text.push_back(hex_alphabet[byte & 0x0f]);
    }
    return text;
}

std::optional<std::string> hex_decode(std::string_view text) {
    if (text.size() % 2 != 0) {
        return std::nullopt;
    }
    std::string data;
    data.reserve(text.size() / 2);
    const auto bytes = to_bytes(text);
    for (std::size_t i = 0; i < bytes.size(); i += 2) {
        const std::uint8_t high = hex_digits[bytes[i]];
        const std::uint8_t low = hex_digits[bytes[i + 1]];
        if (high == no_digit || low == no_digit) {
            return std::nullopt;
        }
        data.push_back(static_cast<char>(high << 4 | low));
    }
    return data;
}

}  // namespace concurred::crypto
