#include "auth/json_members.hpp"

#include "gateway/http/json_string.hpp"

#include <algorithm>
#include <charconv>

namespace concurred::auth {

using http::json_kind;
using http::json_member;

std::optional<json_members> json_members::parse(std::string_view text) {
    if (text.find_first_not_of(" \t\r\n") == std::string_view::npos || text[text.find_first_not_of(" \t\r\n")] != '{') {
        return std::nullopt;
    }
    json_members fields;
    http::json_reader reader(text);
    // Names are compared as they are written: none that anybody asks for needs an escape.
    while (const json_member* member = reader.next()) {
        const auto same = [member](const json_member& other) { return other.key == member->key; };
        if (std::any_of(fields.members_.begin(), fields.members_.end(), same)) {
            return std::nullopt;
        }
        fields.members_.push_back(*member);
    }
    return reader.ok() ? std::optional(std::move(fields)) : std::nullopt;
}

const json_member* json_members::find(std::string_view name) const noexcept {
    const auto found = std::find_if(members_.begin(), members_.end(), [name](const json_member& m) {
        return m.key == name && m.kind != json_kind::null;
    });
    return found == members_.end() ? nullptr : &*found;
}

std::optional<std::string> json_members::text(std::string_view name) const {
    const json_member* member = find(name);
    return member == nullptr ? std::nullopt : http::json_unquote(member->value);
}

std::optional<bool> json_members::boolean(std::string_view name) const noexcept {
    const json_member* member = find(name);
    return member != nullptr && member->kind == json_kind::boolean ? std::optional(member->value == "true")
                                                                   : std::nullopt;
}

std::optional<std::int64_t> json_integer(std::string_view value) noexcept {
    std::int64_t number = 0;
    const auto parsed = std::from_chars(value.data(), value.data() + value.size(), number);
    return parsed.ec == std::errc() && parsed.ptr == value.data() + value.size() ? std::optional(number) : std::nullopt;
}

std::optional<std::int64_t> json_members::integer(std::string_view name) const noexcept {
    const json_member* member = find(name);
    return member != nullptr && member->kind == json_kind::number ? json_integer(member->value) : std::nullopt;
}

std::optional<json_members> json_members::object(std::string_view name) const {
    const json_member* member = find(name);
    return member != nullptr && member->kind == json_kind::object ? parse(member->value) : std::nullopt;
}

}  // namespace concurred::auth
