#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace concurred::bench {

/// Reads JSON in place, without a tree: enough to find the few fields of a request the mock provider acts on.
/// Values keep their escapes, so they can be put into an answer as they came.
namespace json {

inline constexpr std::size_t npos = std::string_view::npos;

/// Position of the first byte at or after `at` that is not white space.
[[nodiscard]] std::size_t skip_space(std::string_view text, std::size_t at) noexcept;

/// Position after the string whose opening quote is at `at`; npos if it does not end.
[[nodiscard]] std::size_t skip_string(std::string_view text, std::size_t at) noexcept;

/// Position after the value that begins at `at`; npos if it does not end. Checks nesting and strings, no more.
[[nodiscard]] std::size_t skip_value(std::string_view text, std::size_t at) noexcept;

/// What stands between the quotes of a string value; an empty view for any other value.
[[nodiscard]] std::string_view string_body(std::string_view value) noexcept;

/// Length of the character at `at` of a string body: a plain byte, an escape, a surrogate pair of two escapes, or a
/// UTF-8 sequence. Cutting at multiples of it keeps the text valid. At least 1.
[[nodiscard]] std::size_t unit_length(std::string_view body, std::size_t at) noexcept;

/// Appends `text` as a JSON string with its quotes.
void append_quoted(std::string& out, std::string_view text);

/// Walks the members of the object at the beginning of `object`: `visit(key, value)`, both as they stand in the text,
/// the key without its quotes.
/// \returns whether the text was an object to its closing brace.
template <class Visit>
bool for_each_member(std::string_view object, Visit visit) {
    std::size_t at = skip_space(object, 0);
    if (at >= object.size() || object[at] != '{') {
        return false;
    }
    at = skip_space(object, at + 1);
    while (at < object.size() && object[at] == '"') {
        const std::size_t key_end = skip_string(object, at);
        if (key_end == npos) {
            return false;
        }
        const std::string_view key = object.substr(at + 1, key_end - at - 2);
        at = skip_space(object, key_end);
        if (at >= object.size() || object[at] != ':') {
            return false;
        }
        at = skip_space(object, at + 1);
        const std::size_t end = skip_value(object, at);
        if (end == npos) {
            return false;
        }
        visit(key, object.substr(at, end - at));
        at = skip_space(object, end);
        if (at < object.size() && object[at] == ',') {
            at = skip_space(object, at + 1);
        }
    }
    return at < object.size() && object[at] == '}';
}

/// Walks the elements of the array at the beginning of `array`: `visit(value)`.
/// \returns whether the text was an array to its closing bracket.
template <class Visit>
bool for_each_element(std::string_view array, Visit visit) {
    std::size_t at = skip_space(array, 0);
    if (at >= array.size() || array[at] != '[') {
        return false;
    }
    at = skip_space(array, at + 1);
    while (at < array.size() && array[at] != ']') {
        const std::size_t end = skip_value(array, at);
        if (end == npos) {
            return false;
        }
        visit(array.substr(at, end - at));
        at = skip_space(array, end);
        if (at < array.size() && array[at] == ',') {
            at = skip_space(array, at + 1);
        }
    }
    return at < array.size();
}

}  // namespace json
}  // namespace concurred::bench
