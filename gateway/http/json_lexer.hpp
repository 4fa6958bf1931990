#pragma once

#include "gateway/http/byte_scan.hpp"
#include "gateway/http/characters.hpp"
#include "gateway/http/json_scan.hpp"

#include <cstdint>
#include <string_view>

namespace concurred::http::detail {

/// The reason of every text that is cut short outside a string.
inline constexpr const char* json_ends_early = "the text ends too early";

/// Steps over values. Every function takes the place to start at and returns the place behind, or nullptr with `at` and
/// `reason` set.
struct json_lexer {
    const char* end;               ///< of the text
    const char* at = nullptr;      ///< place of the error
    const char* reason = nullptr;  ///< static text

    /// Notes the error; returns nullptr.
    [[gnu::cold, gnu::noinline]] const char* fail(const char* where, const char* why) noexcept {
        at = where;
        reason = why;
        return nullptr;
    }

    /// Behind the white space at `p`, which is that of JSON only.
    [[nodiscard]] const char* skip_space(const char* p) const noexcept {
        while (p != end && static_cast<std::uint8_t>(*p) <= ' ' &&
               (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t')) {
            ++p;
        }
        return p;
    }

    /// Value of four hexadecimal digits, or -1.
    [[nodiscard]] int hex4(const char* p) const noexcept {
        if (end - p < 4) {
            return -1;
        }
        int value = 0;
        for (int i = 0; i < 4; ++i) {
            const char c = p[i];
            if (!is_octet(c, octet_hex)) {
                return -1;
            }
            value = value * 16 + (c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
        }
        return value;
    }

    /// An escape, a surrogate pair as one.
    /// \param p  at the backslash
    const char* escape(const char* p) noexcept {
        if (end - p < 2) {
            return fail(end, json_ends_early);
        }
        switch (p[1]) {
            case '"':
            case '\\':
            case '/':
            case 'b':
            case 'f':
            case 'n':
            case 'r':
            case 't':
                return p + 2;
            case 'u':
                break;
            default:
                return fail(p, "unknown escape in a string");
        }
        const int unit = hex4(p + 2);
        if (unit < 0) {
            return fail(p, "\\u needs four hexadecimal digits");
        }
        if (unit < 0xD800 || unit > 0xDFFF) {
            return p + 6;
        }
        const bool pair = unit < 0xDC00 && end - p >= 12 && p[6] == '\\' && p[7] == 'u';
        const int low = pair ? hex4(p + 8) : -1;
        return low >= 0xDC00 && low <= 0xDFFF ? p + 12 : fail(p, "an escape of half a surrogate pair");
    }

    /// A string to behind its closing quote.
    /// \param p        behind the opening quote
    /// \param escaped  set to whether it contains an escape
    const char* string(const char* p, bool& escaped) noexcept {
        escaped = false;
        while (p != nullptr) {
            p = find_byte<string_stop_bytes>(p, end);
            if (p == end) {
                return fail(end, "the text ends inside a string");
            }
            if (*p == '"') {
                return p + 1;
            }
            if (*p == '\\') {
                escaped = true;
                p = escape(p);
                continue;
            }
            if (static_cast<std::uint8_t>(*p) < 0x20) {
                return fail(p, "a control character in a string");
            }
            p = skip_utf8(p, end);
            if (p != end && static_cast<std::uint8_t>(*p) >= 0x80) {
                return fail(p, "a string is not valid UTF-8");
            }
        }
        return nullptr;
    }

    /// Behind the decimal digits at `p`.
    [[nodiscard]] const char* digits(const char* p) const noexcept {
        while (p != end && *p >= '0' && *p <= '9') {
            ++p;
        }
        return p;
    }

    /// RFC 8259, section 6. Size and exponent have no limit: the value is never computed.
    const char* number(const char* p) noexcept {
        const char* const first = *p == '-' ? p + 1 : p;
        const char* q = digits(first);
        if (q == first) {
            return fail(p, q == end ? json_ends_early : "expected a value");
        }
        if (*first == '0' && q - first > 1) {
            return fail(p, "a number must not begin with 0");
        }
        if (q != end && *q == '.') {
            const char* const fraction = q + 1;
            q = digits(fraction);
            if (q == fraction) {
                return fail(q, "expected a digit");
            }
        }
        if (q != end && (*q == 'e' || *q == 'E')) {
            const char* exponent = q + 1;
            if (exponent != end && (*exponent == '+' || *exponent == '-')) {
                ++exponent;
            }
            q = digits(exponent);
            if (q == exponent) {
                return fail(q, "expected a digit");
            }
        }
        return q;
    }

    /// One of the three literal names.
    const char* literal(const char* p, std::string_view word) noexcept {
        if (!std::string_view(p, static_cast<std::size_t>(end - p)).starts_with(word)) {
            return fail(p, "expected a value");
        }
        return p + word.size();
    }

    /// Anything but an object or array.
    /// \param escaped  set for a string: whether it contains an escape
    const char* scalar(const char* p, json_kind& kind, bool& escaped) noexcept {
        switch (*p) {
            case '"':
                kind = json_kind::string;
                return string(p + 1, escaped);
            case 't':
                kind = json_kind::boolean;
                return literal(p, "true");
            case 'f':
                kind = json_kind::boolean;
                return literal(p, "false");
            case 'n':
                kind = json_kind::null;
                return literal(p, "null");
            default:
                kind = json_kind::number;
                return number(p);
        }
    }

    /// A name and its colon, up to the value.
    const char* name(const char* p, bool& escaped) noexcept {
        if (p == end) {
            return fail(p, json_ends_early);
        }
        if (*p != '"') {
            return fail(p, "expected a name in double quotes");
        }
        p = string(p + 1, escaped);
        if (p == nullptr) {
            return nullptr;
        }
        p = skip_space(p);
        if (p == end) {
            return fail(p, json_ends_early);
        }
        return *p == ':' ? skip_space(p + 1) : fail(p, "expected ':'");
    }

    /// An object or array with everything in it, without recursion.
    /// \param p          at the opening bracket
    /// \param max_depth  levels that may be open at once, at most 64: one bit each
    const char* container(const char* p, unsigned max_depth) noexcept {
        std::uint64_t kinds = 0;  // the innermost container's bit is the lowest; set: an object
        unsigned depth = 0;
        bool unused = false;
        for (;;) {
            if ((kinds & 1) != 0) {
                p = name(p, unused);
                if (p == nullptr) {
                    return nullptr;
                }
            }
            if (p == end) {
                return fail(p, json_ends_early);
            }
            if (*p == '{' || *p == '[') {
                if (depth == max_depth) {
                    return fail(p, "nested too deeply");
                }
                const bool object = *p == '{';
                kinds = kinds << 1 | (object ? 1U : 0U);
                ++depth;
                p = skip_space(p + 1);
                if (p == end || *p != (object ? '}' : ']')) {
                    continue;
                }
            } else {
                json_kind kind;
                p = scalar(p, kind, unused);
                if (p == nullptr) {
                    return nullptr;
                }
            }
            for (;;) {  // behind a value, or at the end of an empty container
                p = skip_space(p);
                if (p == end) {
                    return fail(p, json_ends_early);
                }
                const bool object = (kinds & 1) != 0;
                if (*p == ',') {
                    p = skip_space(p + 1);
                    break;
                }
                if (*p != (object ? '}' : ']')) {
                    return fail(p, object ? "expected ',' or '}'" : "expected ',' or ']'");
                }
                ++p;
                kinds >>= 1;
                if (--depth == 0) {
                    return p;
                }
            }
        }
    }

    /// Any value; `p` may be at the end.
    const char* value(const char* p, unsigned max_depth, json_kind& kind, bool& escaped) noexcept {
        if (p == end) {
            return fail(p, json_ends_early);
        }
        if (*p == '{' || *p == '[') {
            kind = *p == '{' ? json_kind::object : json_kind::array;
            return container(p, max_depth);
        }
        return scalar(p, kind, escaped);
    }
};

}  // namespace concurred::http::detail
