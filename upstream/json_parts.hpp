#pragma once

#include "gateway/http/json_scan.hpp"

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

namespace concurred::upstream {

/// A JSON value as it stands in a text that was checked. Absent: an empty view.
struct json_part {
    std::string_view raw;  ///< as written, a string with its quotes
    http::json_kind kind = http::json_kind::null;

    json_part() = default;
    explicit json_part(const http::json_member& m) noexcept : raw(m.value), kind(m.kind) {}
    /// Takes the kind from the first character.
    explicit json_part(std::string_view value) noexcept;

    /// Present and not null.
    [[nodiscard]] explicit operator bool() const noexcept { return !raw.empty() && kind != http::json_kind::null; }
    [[nodiscard]] bool is_string() const noexcept { return !raw.empty() && kind == http::json_kind::string; }
    [[nodiscard]] bool is_object() const noexcept { return !raw.empty() && kind == http::json_kind::object; }
    [[nodiscard]] bool is_array() const noexcept { return !raw.empty() && kind == http::json_kind::array; }
    [[nodiscard]] bool is_number() const noexcept { return !raw.empty() && kind == http::json_kind::number; }
    [[nodiscard]] bool is_true() const noexcept { return raw == "true"; }
    [[nodiscard]] bool is_false() const noexcept { return raw == "false"; }

    /// The text of a string, escapes decoded; empty for anything else.
    [[nodiscard]] std::string text() const;
    /// Whether it is a string that stands for `expected`. Allocates nothing.
    [[nodiscard]] bool equals(std::string_view expected) const noexcept;
    /// A string as it is written, without its quotes; empty for anything else.
    [[nodiscard]] std::string_view inside() const noexcept {
        return is_string() ? raw.substr(1, raw.size() - 2) : std::string_view();
    }
    /// An array as it is written; `[]` for anything else.
    [[nodiscard]] std::string_view list() const noexcept { return is_array() ? raw : std::string_view("[]"); }
    /// A string of at least one character.
    [[nodiscard]] bool has_text() const noexcept { return is_string() && !is_empty_string(); }
    /// A string of no characters.
    [[nodiscard]] bool is_empty_string() const noexcept { return raw == "\"\""; }
    /// The value of a number that is a whole one and fits.
    [[nodiscard]] std::optional<std::int64_t> integer() const noexcept;
    /// Whole and not negative, else 0.
    [[nodiscard]] std::uint64_t count() const noexcept;
};

[[nodiscard]] constexpr bool is_json_space(char c) noexcept {
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

/// A member that `read_members` looks for.
struct wanted_member {
    std::string_view name;
    json_part* into;
};

/// Reads some members of an object in one pass; of a name given twice the last one counts, as with most decoders.
/// Names written with escapes are found too. What is no object has no members.
/// @return whether the text is a valid object
bool read_members(std::string_view object, std::initializer_list<wanted_member> wanted);

/// One member of an object; where several are needed, `read_members` reads the text only once.
[[nodiscard]] json_part member_of(std::string_view object, std::string_view name);

/// Whether a member's name is `name`, however it is written.
[[nodiscard]] bool is_named(const http::json_member& m, std::string_view name) noexcept;

/// Appends `json` without the white space between its tokens. The text must be valid.
void append_compact(std::string& out, std::string_view json);

}  // namespace concurred::upstream
