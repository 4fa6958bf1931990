#include "gateway/base/log_text.hpp"

#include "gateway/base/json_text.hpp"
#include "gateway/base/utf8.hpp"

#include <cmath>
#include <cstring>

namespace concurred::base {

namespace {

constexpr std::uint64_t every_byte(std::uint8_t value) noexcept {
    return 0x0101'0101'0101'0101u * value;
}

/// Whether one of the eight bytes is `value`.
constexpr bool has_byte(std::uint64_t bytes, std::uint8_t value) noexcept {
    const std::uint64_t difference = bytes ^ every_byte(value);
    return ((difference - every_byte(1)) & ~difference & every_byte(0x80)) != 0;
}

/// What a text must be free of to be copied as it is.
enum class check : std::uint8_t {
    string,  ///< between quotes: printable ASCII without a quote and a backslash
    word,    ///< without quotes: no space and no equals sign either
};

template <check Check>
constexpr bool has_special(std::uint64_t bytes) noexcept {
    const std::uint64_t below_space = (bytes - every_byte(0x20)) & ~bytes;
    const bool special = ((bytes | below_space) & every_byte(0x80)) != 0 || has_byte(bytes, '"') ||
                         has_byte(bytes, '\\') || has_byte(bytes, 0x7F);
    return special || (Check == check::word && (has_byte(bytes, ' ') || has_byte(bytes, '=')));
}

template <check Check>
bool is_plain(std::string_view text) noexcept {
    std::uint64_t bytes = 0;
    if (text.size() < sizeof bytes) {
        for (const char c : text) {
            bytes = bytes << 8 | static_cast<std::uint8_t>(c);
        }
        // The places without a character get one that is plain.
        return !has_special<Check>(text.empty() ? every_byte('-') : bytes | every_byte('-') << (8 * text.size()));
    }
    const char* const last = text.data() + text.size() - sizeof bytes;
    for (const char* p = text.data(); p < last; p += sizeof bytes) {
        std::memcpy(&bytes, p, sizeof bytes);
        if (has_special<Check>(bytes)) {
            return false;
        }
    }
    // Overlaps what was seen already.
    std::memcpy(&bytes, last, sizeof bytes);
    return !has_special<Check>(bytes);
}

void append_hex_escape(std::string& out, std::uint32_t unit) {
    static constexpr std::string_view digits = "0123456789abcdef";
    const char escape[] = {
        '\\', 'u', digits[unit >> 12 & 15], digits[unit >> 8 & 15], digits[unit >> 4 & 15], digits[unit & 15]};
    out.append(escape, sizeof escape);
}

void append_escape(std::string& out, char32_t character) {
    switch (character) {
        case '"':
            out += "\\\"";
            return;
        case '\\':
            out += "\\\\";
            return;
        case '\n':
            out += "\\n";
            return;
        case '\r':
            out += "\\r";
            return;
        case '\t':
            out += "\\t";
            return;
        default:
            break;
    }
    if (character < 0x10000) {
        append_hex_escape(out, character);
        return;
    }
    append_hex_escape(out, 0xD800 + ((character - 0x10000) >> 10));
    append_hex_escape(out, 0xDC00 + ((character - 0x10000) & 0x3FF));
}

void append_escaped(std::string& out, std::string_view text) {
    while (!text.empty()) {
        const utf8_character next = first_character(text);
        if (!next.valid) {
            out += "\xEF\xBF\xBD";
        } else if (next.value == '"' || next.value == '\\' || is_unsafe_in_log(next.value)) {
            append_escape(out, next.value);
        } else {
            out += text.substr(0, next.length);
        }
        text.remove_prefix(next.length);
    }
}

}  // namespace

bool is_unsafe_in_log(char32_t c) noexcept {
    if (c < 0xA0) {
        return c < 0x20 || c >= 0x7F;
    }
    return c == 0xAD || c == 0x61C || c == 0x180E || (c >= 0x200B && c <= 0x200F) || (c >= 0x2028 && c <= 0x202E) ||
           (c >= 0x2060 && c <= 0x206F) || c == 0xFEFF || (c >= 0xFFF9 && c <= 0xFFFB) ||
           (c >= 0xE0000 && c <= 0xE0FFF);
}

void append_log_string(std::string& out, std::string_view text, std::size_t limit) {
    const std::string_view used = cut_text(text, limit);
    out += '"';
    if (is_plain<check::string>(used)) {
        out += used;
    } else {
        append_escaped(out, used);
    }
    if (used.size() != text.size()) {
        out += "\xE2\x80\xA6";
    }
    out += '"';
}

void append_log_word(std::string& out, std::string_view text, std::size_t limit) {
    const bool one_word = !text.empty() && text.size() <= limit && is_plain<check::word>(text);
    if (one_word) {
        out += text;
    } else {
        append_log_string(out, text, limit);
    }
}

void append_double(std::string& out, double value) {
    if (!std::isfinite(value)) {
        out += "null";
        return;
    }
    std::array<char, 32> digits;
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
    out.append(digits.data(), static_cast<std::size_t>(end - digits.data()));
}

void append_millis(std::string& out, std::chrono::microseconds value) {
    // A clock that went back must not make a line unreadable.
    const std::int64_t micros = value.count() < 0 ? 0 : value.count();
    append_integer(out, micros / 1000);
    const auto rest = static_cast<unsigned>(micros % 1000);
    const char decimals[] = {'.', static_cast<char>('0' + rest / 100), static_cast<char>('0' + rest / 10 % 10),
                             static_cast<char>('0' + rest % 10)};
    out.append(decimals, sizeof decimals);
}

void append_nanos(std::string& out, std::int64_t value) {
    std::uint64_t magnitude = static_cast<std::uint64_t>(value);
    if (value < 0) {
        out += '-';
        magnitude = 0 - magnitude;
    }
    append_integer(out, magnitude / 1'000'000'000);
    std::uint64_t rest = magnitude % 1'000'000'000;
    if (rest == 0) {
        return;
    }
    std::array<char, 10> decimals;
    std::size_t used = 1;
    for (std::size_t i = 9; i > 0; --i, rest /= 10) {
        decimals[i] = static_cast<char>('0' + rest % 10);
        if (used == 1 && decimals[i] != '0') {
            used = i + 1;
        }
    }
    decimals[0] = '.';
    out.append(decimals.data(), used);
}

std::string_view log_timestamp::renew(wall_time at) {
    using namespace std::chrono;
    const auto put = [this](std::size_t place, std::size_t width, unsigned value) {
        for (std::size_t i = width; i > 0; --i, value /= 10) {
            text_[place + i - 1] = static_cast<char>('0' + value % 10);
        }
    };
    const auto whole = floor<seconds>(at);
    if (whole.time_since_epoch().count() != second_) {
        second_ = whole.time_since_epoch().count();
        const auto day = floor<days>(whole);
        const year_month_day date(day);
        const auto second_of_day = static_cast<unsigned>((whole - day).count());
        std::memcpy(text_.data(), "0000-00-00T00:00:00.000", text_.size());
        put(0, 4, static_cast<unsigned>(static_cast<int>(date.year())));
        put(5, 2, static_cast<unsigned>(date.month()));
        put(8, 2, static_cast<unsigned>(date.day()));
        put(11, 2, second_of_day / 3600);
        put(14, 2, second_of_day / 60 % 60);
        put(17, 2, second_of_day % 60);
    }
    put(20, 3, static_cast<unsigned>(floor<milliseconds>(at - whole).count()));
    return std::string_view(text_.data(), text_.size()).substr(11);
}

void log_timestamp::append(std::string& out, wall_time at) {
    renew(at);
    out.append(text_.data(), text_.size());
    out += 'Z';
}

void log_timestamp::append_time_of_day(std::string& out, wall_time at) {
    out += renew(at);
}

}  // namespace concurred::base
