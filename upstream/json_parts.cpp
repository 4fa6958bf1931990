#include "upstream/json_parts.hpp"

#include "gateway/http/json_string.hpp"

#include <charconv>

namespace concurred::upstream {

namespace {

using http::json_kind;

json_kind kind_of(char first) noexcept {
    switch (first) {
        case '{':
            return json_kind::object;
        case '[':
            return json_kind::array;
        case '"':
            return json_kind::string;
        case 't':
        case 'f':
            return json_kind::boolean;
        case 'n':
            return json_kind::null;
        default:
            return json_kind::number;
    }
}

}  // namespace

json_part::json_part(std::string_view value) noexcept {
    while (!value.empty() && is_json_space(value.front())) {
        value.remove_prefix(1);
    }
    while (!value.empty() && is_json_space(value.back())) {
        value.remove_suffix(1);
    }
    raw = value;
    kind = value.empty() ? json_kind::null : kind_of(value.front());
}

std::string json_part::text() const {
    return is_string() ? http::json_unquote(raw).value_or(std::string()) : std::string();
}

bool json_part::equals(std::string_view expected) const noexcept {
    return is_string() && http::json_string_equals(raw, expected);
}

std::optional<std::int64_t> json_part::integer() const noexcept {
    std::int64_t value = 0;
    const char* const end = raw.data() + raw.size();
    const auto [behind, failure] = std::from_chars(raw.data(), end, value);
    const bool whole = is_number() && failure == std::errc{} && behind == end;
    return whole ? std::optional(value) : std::nullopt;
}

std::uint64_t json_part::count() const noexcept {
    const auto value = integer();
    return value && *value > 0 ? static_cast<std::uint64_t>(*value) : 0;
}

bool is_named(const http::json_member& m, std::string_view name) noexcept {
    if (!m.key_escaped) {
        return m.key == name;
    }
    const std::string_view quoted(m.key.data() - 1, m.key.size() + 2);
    return http::json_string_equals(quoted, name);
}

bool read_members(std::string_view object, std::initializer_list<wanted_member> wanted) {
    if (object.empty() || object.front() != '{') {
        return false;
    }
    http::json_reader members(object);
    while (const http::json_member* m = members.next()) {
        for (const wanted_member& w : wanted) {
            if (is_named(*m, w.name)) {
                *w.into = json_part(*m);
                break;
            }
        }
    }
    return members.ok();
}

json_part member_of(std::string_view object, std::string_view name) {
    json_part found;
    read_members(object, {{name, &found}});
    return found;
}

void append_compact(std::string& out, std::string_view json) {
    bool in_string = false;
    std::size_t run = 0;
    for (std::size_t at = 0; at < json.size(); ++at) {
        const char c = json[at];
        if (in_string) {
            at += c == '\\' ? 1U : 0U;
            in_string = c != '"';
        } else if (c == '"') {
            in_string = true;
        } else if (is_json_space(c)) {
            out.append(json, run, at - run);
            run = at + 1;
        }
    }
    out.append(json.substr(run));
}

}  // namespace concurred::upstream
