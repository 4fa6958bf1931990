#include "gateway/http/json_string.hpp"

#include "gateway/http/byte_scan.hpp"
#include "gateway/http/characters.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

namespace concurred::http {

namespace {

/// What one escape stands for.
struct decoded {
    std::array<char, 4> bytes{};
    std::uint8_t size = 0;    ///< bytes of UTF-8; 0: the escape is broken
    std::uint8_t length = 0;  ///< characters of the escape
};

std::uint32_t hex4(std::string_view digits) noexcept {
    constexpr std::uint32_t broken = 0xFFFFFFFF;
    if (digits.size() < 4) {
        return broken;
    }
    std::uint32_t value = 0;
    for (const char c : digits.substr(0, 4)) {
        if (!is_octet(c, octet_hex)) {
            return broken;
        }
        value = value << 4 | static_cast<std::uint32_t>(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
    }
    return value;
}

decoded encode_utf8(std::uint32_t point, std::uint8_t length) noexcept {
    decoded d;
    d.length = length;
    const auto put = [&d](std::uint32_t byte) { d.bytes[d.size++] = static_cast<char>(byte); };
    if (point < 0x80) {
        put(point);
    } else if (point < 0x800) {
        put(0xC0 | point >> 6);
        put(0x80 | (point & 0x3F));
    } else if (point < 0x10000) {
        put(0xE0 | point >> 12);
        put(0x80 | (point >> 6 & 0x3F));
        put(0x80 | (point & 0x3F));
    } else {
        put(0xF0 | point >> 18);
        put(0x80 | (point >> 12 & 0x3F));
        put(0x80 | (point >> 6 & 0x3F));
        put(0x80 | (point & 0x3F));
    }
    return d;
}

/// \param text  begins with a backslash
decoded decode_escape(std::string_view text) noexcept {
    if (text.size() < 2) {
        return {};
    }
    constexpr std::string_view names = "\"\\/bfnrt";
    constexpr std::string_view meanings = "\"\\/\b\f\n\r\t";
    if (const std::size_t i = names.find(text[1]); i != std::string_view::npos) {
        return encode_utf8(static_cast<std::uint8_t>(meanings[i]), 2);
    }
    const std::uint32_t unit = text[1] == 'u' ? hex4(text.substr(2)) : 0xFFFFFFFF;
    if (unit < 0xD800 || (unit > 0xDFFF && unit <= 0xFFFF)) {
        return encode_utf8(unit, 6);
    }
    if (unit < 0xDC00 && text.substr(6).starts_with("\\u")) {
        const std::uint32_t low = hex4(text.substr(8));
        if (low >= 0xDC00 && low <= 0xDFFF) {
            return encode_utf8(0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00), 12);
        }
    }
    return {};
}

bool is_quoted(std::string_view raw) noexcept {
    return raw.size() >= 2 && raw.front() == '"' && raw.back() == '"';
}

}  // namespace

std::optional<std::string> json_unescape(std::string_view inside) {
    std::string out;
    out.reserve(inside.size());
    for (;;) {
        const std::size_t plain = inside.find('\\');
        out += inside.substr(0, plain);
        if (plain == std::string_view::npos) {
            return out;
        }
        inside.remove_prefix(plain);
        const decoded d = decode_escape(inside);
        if (d.size == 0) {
            return std::nullopt;
        }
        out.append(d.bytes.data(), d.size);
        inside.remove_prefix(d.length);
    }
}

std::optional<std::string> json_unquote(std::string_view raw) {
    if (!is_quoted(raw)) {
        return std::nullopt;
    }
    return json_unescape(raw.substr(1, raw.size() - 2));
}

bool json_string_equals(std::string_view raw, std::string_view text) noexcept {
    if (!is_quoted(raw)) {
        return false;
    }
    std::string_view inside = raw.substr(1, raw.size() - 2);
    for (;;) {
        const std::size_t plain = std::min(inside.find('\\'), inside.size());
        if (!text.starts_with(inside.substr(0, plain))) {
            return false;
        }
        inside.remove_prefix(plain);
        text.remove_prefix(plain);
        if (inside.empty()) {
            return text.empty();
        }
        const decoded d = decode_escape(inside);
        if (d.size == 0 || !text.starts_with(std::string_view(d.bytes.data(), d.size))) {
            return false;
        }
        inside.remove_prefix(d.length);
        text.remove_prefix(d.size);
    }
}

std::size_t json_unescaped_size(std::string_view inside) noexcept {
    std::size_t size = 0;
    for (;;) {
        const std::size_t plain = inside.find('\\');
        if (plain == std::string_view::npos) {
            return size + inside.size();
        }
        inside.remove_prefix(plain);
        const decoded d = decode_escape(inside);
        size += plain + (d.size == 0 ? 1 : d.size);
        inside.remove_prefix(d.size == 0 ? 1 : d.length);
    }
}

void append_json_string(std::string& out, std::string_view text) {
    const char* p = text.data();
    const char* const end = p + text.size();
    out += '"';
    while (p != end) {
        const char* const stop = find_byte<string_stop_bytes>(p, end);
        out.append(p, stop);
        p = stop;
        if (p == end) {
            break;
        }
        const char c = *p;
        if (const auto byte = static_cast<std::uint8_t>(c); byte >= 0x80) {
            const std::size_t length = utf8_length(p, end);
            out += length == 0 ? std::string_view("\xEF\xBF\xBD") : std::string_view(p, length);
            p += length == 0 ? 1 : length;
            continue;
        }
        out += '\\';
        if (c == '"' || c == '\\') {
            out += c;
        } else if (c == '\n') {
            out += 'n';
        } else {
            constexpr std::string_view digits = "0123456789abcdef";
            out += "u00";
            out += digits[static_cast<std::size_t>(c) >> 4];
            out += digits[static_cast<std::size_t>(c) & 15];
        }
        ++p;
    }
    out += '"';
}

bool is_plain_json_text(std::string_view text) noexcept {
    const char* const end = text.data() + text.size();
    return find_byte<string_stop_bytes>(text.data(), end) == end;
}

}  // namespace concurred::http
