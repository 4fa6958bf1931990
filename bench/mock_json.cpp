#include "bench/mock_json.hpp"

#include <algorithm>
#include <cstring>

namespace concurred::bench::json {

std::size_t skip_space(std::string_view text, std::size_t at) noexcept {
    while (at < text.size() && (text[at] == ' ' || text[at] == '\n' || text[at] == '\r' || text[at] == '\t')) {
        ++at;
    }
    return at;
}

std::size_t skip_string(std::string_view text, std::size_t at) noexcept {
    const std::size_t begin = at + 1;
    for (std::size_t from = begin; from < text.size();) {
        // memchr, because prompts are long and quotes are rare.
        const void* found = std::memchr(text.data() + from, '"', text.size() - from);
        if (found == nullptr) {
            return npos;
        }
        const auto quote = static_cast<std::size_t>(static_cast<const char*>(found) - text.data());
        std::size_t slashes = 0;
        while (quote - slashes > begin && text[quote - slashes - 1] == '\\') {
            ++slashes;
        }
        if (slashes % 2 == 0) {
            return quote + 1;
        }
        from = quote + 1;
    }
    return npos;
}

std::size_t skip_value(std::string_view text, std::size_t at) noexcept {
    if (at >= text.size()) {
        return npos;
    }
    if (text[at] == '"') {
        return skip_string(text, at);
    }
    if (text[at] != '{' && text[at] != '[') {
        const std::size_t end = std::min(text.find_first_of(",]} \t\r\n", at), text.size());
        return end == at ? npos : end;
    }
    std::size_t depth = 0;
    while (at < text.size()) {
        switch (text[at]) {
            case '"':
                at = skip_string(text, at);
                if (at == npos) {
                    return npos;
                }
                continue;
            case '{':
            case '[':
                ++depth;
                break;
            case '}':
            case ']':
                if (--depth == 0) {
                    return at + 1;
                }
                break;
            default:
                break;
        }
        ++at;
    }
    return npos;
}

std::string_view string_body(std::string_view value) noexcept {
    return value.size() >= 2 && value.front() == '"' ? value.substr(1, value.size() - 2) : std::string_view{};
}

std::size_t unit_length(std::string_view body, std::size_t at) noexcept {
    const std::size_t left = body.size() - at;
    const auto byte = static_cast<unsigned char>(body[at]);
    if (byte == '\\' && left >= 2) {
        if (body[at + 1] != 'u' || left < 6) {
            return 2;
        }
        const bool high = (body[at + 2] == 'd' || body[at + 2] == 'D') &&
                          std::string_view("89abAB").find(body[at + 3]) != std::string_view::npos;
        return high && left >= 12 && body[at + 6] == '\\' && body[at + 7] == 'u' ? 12 : 6;
    }
    const std::size_t length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return std::min(length, left);
}

void append_quoted(std::string& out, std::string_view text) {
    constexpr std::string_view digits = "0123456789abcdef";
    out += '"';
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\') {
            out += '\\';
            out += c;
        } else if (byte < 0x20) {
            out.append("\\u00");
            out += digits[byte >> 4];
            out += digits[byte & 15];
        } else {
            out += c;
        }
    }
    out += '"';
}

}  // namespace concurred::bench::json
