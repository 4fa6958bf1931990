#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace concurred::http {

// A class of bytes is a type with `has`, for one byte and for sixteen at once (0xFF in every byte that belongs to it).

#if defined(__SSE2__)
namespace detail {

/// 16 bytes at `p`, which needs no alignment.
[[nodiscard]] inline __m128i load16(const char* p) noexcept {
    return _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
}
/// 0xFF in every byte that equals `c`.
[[nodiscard]] inline __m128i equal16(__m128i bytes, char c) noexcept {
    return _mm_cmpeq_epi8(bytes, _mm_set1_epi8(c));
}
/// One bit per byte, the first byte's lowest.
[[nodiscard]] inline unsigned bits16(__m128i mask) noexcept {
    return static_cast<unsigned>(_mm_movemask_epi8(mask));
}

}  // namespace detail
#endif

/// The ends of lines of an event stream.
struct line_end_bytes {
    [[nodiscard]] static bool has(char c) noexcept { return c == '\n' || c == '\r'; }
#if defined(__SSE2__)
    [[nodiscard]] static __m128i has(__m128i v) noexcept {
        return _mm_or_si128(detail::equal16(v, '\n'), detail::equal16(v, '\r'));
    }
#endif
};

/// What ends a run of plain characters in a JSON string: the quote, the backslash, control characters, non-ASCII.
struct string_stop_bytes {
    [[nodiscard]] static bool has(char c) noexcept {
        const auto byte = static_cast<std::uint8_t>(c);
        return byte < 0x20 || byte >= 0x80 || c == '"' || c == '\\';
    }
#if defined(__SSE2__)
    [[nodiscard]] static __m128i has(__m128i v) noexcept {
        // Compared as signed bytes, 0x80 and above are negative: one comparison finds them and the controls.
        return _mm_or_si128(_mm_cmplt_epi8(v, _mm_set1_epi8(0x20)),
                            _mm_or_si128(detail::equal16(v, '"'), detail::equal16(v, '\\')));
    }
#endif
};

/// What matters when looking for the end of a JSON object without checking its inside.
struct object_stop_bytes {
    [[nodiscard]] static bool has(char c) noexcept { return c == '"' || c == '\\' || c == '{' || c == '}'; }
#if defined(__SSE2__)
    [[nodiscard]] static __m128i has(__m128i v) noexcept {
        return _mm_or_si128(_mm_or_si128(detail::equal16(v, '"'), detail::equal16(v, '\\')),
                            _mm_or_si128(detail::equal16(v, '{'), detail::equal16(v, '}')));
    }
#endif
};

/// The first byte of [p, end) that belongs to `Class`, or `end`. Reads nothing outside the range.
template <class Class>
[[nodiscard]] inline const char* find_byte(const char* p, const char* end) noexcept {
#if defined(__SSE2__)
    const char* const begin = p;
    for (; end - p >= 16; p += 16) {
        const unsigned found = detail::bits16(Class::has(detail::load16(p)));
        if (found != 0) {
            return p + std::countr_zero(found);
        }
    }
    if (p != end && end - begin >= 16) {
        // The rest is covered by a last load that overlaps bytes already seen.
        const unsigned found = detail::bits16(Class::has(detail::load16(end - 16))) >> (16 - (end - p));
        return found != 0 ? p + std::countr_zero(found) : end;
    }
#endif
    while (p != end && !Class::has(*p)) {
        ++p;
    }
    return p;
}

/// One byte, known at run time.
struct one_byte {
    char byte;
    [[nodiscard]] bool has(char c) const noexcept { return c == byte; }
#if defined(__SSE2__)
    [[nodiscard]] __m128i has(__m128i v) const noexcept {
        return detail::equal16(v, byte);
    }
#endif
};

/// The first quote in [p, end) that is followed, within the range, by a byte of `second`; or `end`. Finds the few keys
/// one is interested in without looking at the others.
template <class Second>
[[nodiscard]] inline const char* find_quoted(const char* p, const char* end, Second second) noexcept {
#if defined(__SSE2__)
    const char* const begin = p;
    const auto pairs = [second](const char* at) noexcept {
        return detail::bits16(
            _mm_and_si128(detail::equal16(detail::load16(at), '"'), second.has(detail::load16(at + 1))));
    };
    for (; end - p >= 17; p += 16) {
        const unsigned found = pairs(p);
        if (found != 0) {
            return p + std::countr_zero(found);
        }
    }
    if (end - p >= 2 && end - begin >= 17) {
        const unsigned found = pairs(end - 17) >> (17 - (end - p));
        return found != 0 ? p + std::countr_zero(found) : end;
    }
#endif
    for (; end - p >= 2; ++p) {
        if (*p == '"' && second.has(p[1])) {
            return p;
        }
    }
    return end;
}

/// Whether `text` is the literal. Its size is known to the compiler, so this is a few instructions and no call.
template <std::size_t N>
[[nodiscard]] inline bool equals(std::string_view text, const char (&literal)[N]) noexcept {
    return text.size() == N - 1 && std::memcmp(text.data(), literal, N - 1) == 0;
}

/// Whether [p, end) begins with the literal.
template <std::size_t N>
[[nodiscard]] inline bool begins(const char* p, const char* end, const char (&literal)[N]) noexcept {
    return static_cast<std::size_t>(end - p) >= N - 1 && std::memcmp(p, literal, N - 1) == 0;
}

/// Length of the valid UTF-8 sequence of two bytes or more at `p`, 0 if there is none (RFC 3629, section 4).
/// \param p  a byte of at least 0x80
[[nodiscard]] inline std::size_t utf8_length(const char* p, const char* end) noexcept {
    const auto byte = [p](std::size_t i) noexcept { return static_cast<std::uint8_t>(p[i]); };
    const std::uint8_t first = byte(0);
    const std::size_t length = first < 0xC2 ? 0 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : first < 0xF5 ? 4 : 0;
    if (length == 0 || static_cast<std::size_t>(end - p) < length) {
        return 0;
    }
    // The second byte's range excludes overlong forms, surrogates and what lies above U+10FFFF.
    const std::uint8_t low = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
    const std::uint8_t high = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
    if (byte(1) < low || byte(1) > high) {
        return 0;
    }
    for (std::size_t i = 2; i < length; ++i) {
        if ((byte(i) & 0xC0) != 0x80) {
            return 0;
        }
    }
    return length;
}

/// Steps over valid UTF-8 sequences of two bytes or more. Returns the first byte that is ASCII or wrong, or `end`.
[[nodiscard]] inline const char* skip_utf8(const char* p, const char* end) noexcept {
    while (p != end && static_cast<std::uint8_t>(*p) >= 0x80) {
        // Two and three bytes cover nearly all text; the lead bytes with a narrower second byte go the long way.
        if (std::endian::native == std::endian::little && end - p >= 4) {
            std::uint32_t next = 0;
            std::memcpy(&next, p, sizeof next);
            const std::uint32_t first = next & 0xFF;
            if ((next & 0xC0C0F0) == 0x8080E0 && first != 0xE0 && first != 0xED) {
                p += 3;
                continue;
            }
            if ((next & 0xC0E0) == 0x80C0 && first >= 0xC2) {
                p += 2;
                continue;
            }
        }
        const std::size_t length = utf8_length(p, end);
        if (length == 0) {
            return p;
        }
        p += length;
    }
    return p;
}

}  // namespace concurred::http
