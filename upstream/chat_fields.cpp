#include "upstream/chat_fields.hpp"

#include "gateway/http/json_string.hpp"

#include <optional>
#include <string>

namespace concurred::upstream {

namespace {

/// The one field that a key of this size and first letter can be.
chat_field candidate(std::string_view key) noexcept {
    const auto begins = [&](char lower) { return (key.front() | 0x20) == lower; };
    switch (key.size()) {
        case 5:
            return begins('m') ? chat_field::model : chat_field::tools;
        case 6:
            return chat_field::stream;
        case 7:
            return begins('r') ? chat_field::retries : chat_field::timeout;
        case 8:
            return begins('m') ? chat_field::messages : chat_field::fallback;
        case 9:
            return chat_field::prompt_id;
        case 10:
            return begins('g') ? chat_field::guardrails : chat_field::max_tokens;
        case 11:
            return chat_field::tool_choice;
        case 12:
            return chat_field::load_balance;
        case 14:
            return begins('s') ? chat_field::stream_options : chat_field::prompt_version;
        case 16:
            return begins('p') ? chat_field::prompt_variables : chat_field::reasoning_effort;
        case 21:
            return chat_field::max_completion_tokens;
        default:
            return chat_field::none;
    }
}

char lower(char c) noexcept {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
}

bool equal_but_case(std::string_view key, std::string_view name) noexcept {
    for (std::size_t i = 0; i < name.size(); ++i) {
        if (lower(key[i]) != name[i]) {
            return false;
        }
    }
    return true;
}

field_match match_plain(std::string_view key) noexcept {
    const chat_field field = candidate(key);
    if (field == chat_field::none) {
        return {};
    }
    const std::string_view name = name_of(field);
    if (key == name) {
        return {field, true};
    }
    return equal_but_case(key, name) ? field_match{field, false} : field_match{};
}

bool is_ascii(std::string_view text) noexcept {
    for (const char c : text) {
        if ((c & 0x80) != 0) {
            return false;
        }
    }
    return true;
}

/// Unicode's simple case folding has two letters outside ASCII that fold to ASCII ones: U+017F and U+212A.
std::string fold_odd_letters(std::string text) {
    constexpr std::string_view long_s = "\xC5\xBF";
    constexpr std::string_view kelvin = "\xE2\x84\xAA";
    for (std::size_t at = text.find(long_s); at != std::string::npos; at = text.find(long_s, at)) {
        text.replace(at, long_s.size(), "S");  // an upper-case letter: never an exact match
    }
    for (std::size_t at = text.find(kelvin); at != std::string::npos; at = text.find(kelvin, at)) {
        text.replace(at, kelvin.size(), "K");
    }
    return text;
}

}  // namespace

field_match match_field(const http::json_member& member) {
    if (!member.key_escaped) {
        const field_match match = match_plain(member.key);
        if (match.field != chat_field::none) {
            return match;
        }
    }
    // The longest name, every letter written as \uXXXX.
    constexpr std::size_t longest = 6 * 21;
    if (member.key.size() > longest || (!member.key_escaped && is_ascii(member.key))) {
        return {};
    }
    const std::optional<std::string> key = http::json_unescape(member.key);
    return key ? match_plain(fold_odd_letters(*key)) : field_match{};
}

}  // namespace concurred::upstream
