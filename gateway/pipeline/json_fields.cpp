#include "gateway/pipeline/json_fields.hpp"

#include "gateway/base/utf8.hpp"
#include "gateway/http/json_scan.hpp"
#include "gateway/http/json_string.hpp"
#include "gateway/http/response.hpp"

#include <algorithm>
#include <charconv>

namespace concurred::pipeline {

namespace {

using base::client_error;
using base::errc;
using base::result;

std::string listed(std::span<const std::string_view> names) {
    std::string text;
    for (std::size_t i = 0; i < names.size(); ++i) {
        text += i == 0 ? "'" : i + 1 < names.size() ? ", '" : " and '";
        text += std::string(names[i]) + "'";
    }
    return text;
}

/// Number of characters; nothing when there is a control character among them.
std::optional<std::size_t> length_of(std::string_view text) noexcept {
    std::size_t count = 0;
    while (!text.empty()) {
        const base::utf8_character c = base::first_character(text);
        if (!c.valid || c.value < 0x20 || (c.value >= 0x7F && c.value < 0xA0)) {
            return std::nullopt;
        }
        text.remove_prefix(c.length);
        ++count;
    }
    return count;
}

}  // namespace

base::error missing_field(std::string_view name) {
    base::error e = client_error(errc::missing_required_field, "The field '" + std::string(name) + "' is missing.",
                                 std::string(name));
    e.details = "{\"field\":\"" + std::string(name) + "\"}";
    return e;
}

base::task<result<std::string_view>> read_json_body(http::exchange& x) {
    if (!x.head.find("content-encoding").empty()) {
        co_return client_error(errc::unsupported_media_type, "Send the body without Content-Encoding.");
    }
    std::string_view type = x.head.find("content-type");
    type = type.substr(0, type.find(';'));
    while (type.ends_with(' ')) {
        type.remove_suffix(1);
    }
    if (!http::iequals(type, http::json_type)) {
        co_return client_error(errc::unsupported_media_type, {});
    }
    if (const auto here = x.body->ready()) {
        co_return *here;
    }
    const result<std::string_view> read = co_await x.body->read();
    co_return read;
}

base::error json_fields::refuse(std::string_view name, std::string_view wanted) const {
    const std::string whole = within_ + std::string(name);
    return client_error(errc::bad_request, "The field '" + whole + "' must be " + std::string(wanted) + ".", whole);
}

result<json_fields> json_fields::parse(std::string_view body, std::span<const std::string_view> allowed,
                                       std::string within) {
    if (!http::is_json_object(body)) {
        http::json_reader reader(body);
        while (reader.next() != nullptr) {
        }
        return client_error(errc::bad_request,
                            reader.ok()
                                ? "The body must be a JSON object."
                                : "The body is not a JSON object: " + http::describe(body, reader.error()) + ".");
    }
    json_fields fields;
    fields.within_ = std::move(within);
    http::json_reader reader(body);
    while (const http::json_member* m = reader.next()) {
        std::string name = http::json_unescape(m->key).value_or(std::string());
        if (std::find(allowed.begin(), allowed.end(), name) == allowed.end()) {
            // The name is the caller's: only what can be shown safely is shown.
            const bool plain = name.size() <= 64 && http::is_plain_json_text(name);
            const std::string whole = plain ? fields.within_ + name : std::string();
            return client_error(
                errc::bad_request,
                (plain ? "The field '" + whole + "' is not known" : std::string("A field is not known")) +
                    (allowed.empty() ? "; none is allowed here." : ". Allowed: " + listed(allowed) + "."),
                whole);
        }
        if (fields.has(name)) {
            return fields.refuse(name, "given once");
        }
        fields.members_.push_back({std::move(name), m->value});
    }
    return fields;
}

const json_fields::member* json_fields::find(std::string_view name) const noexcept {
    const auto found = std::ranges::find(members_, name, &member::name);
    return found == members_.end() ? nullptr : &*found;
}

std::string_view json_fields::raw(std::string_view name) const noexcept {
    const member* m = find(name);
    return m == nullptr ? std::string_view() : m->value;
}

result<std::optional<std::string>> json_fields::text(std::string_view name, std::size_t least, std::size_t most) const {
    const member* m = find(name);
    if (m == nullptr) {
        return std::optional<std::string>();
    }
    const std::string wanted =
        "a text of " + std::to_string(least) + " to " + std::to_string(most) + " characters without control characters";
    auto text = http::json_unquote(m->value);
    if (!text) {
        return refuse(name, wanted);
    }
    const std::size_t first = std::min(text->find_first_not_of(' '), text->size());
    text->erase(text->find_last_not_of(' ') + 1);
    text->erase(0, first);
    const auto length = length_of(*text);
    if (!length || *length < least || *length > most) {
        return refuse(name, wanted);
    }
    return std::optional<std::string>(std::move(*text));
}

result<std::string> json_fields::required_text(std::string_view name, std::size_t least, std::size_t most) const {
    auto found = text(name, least, most);
    if (!found) {
        return std::move(found).error();
    }
    if (!*found) {
        return missing_field(name);
    }
    return std::move(**found);
}

result<std::optional<std::uint32_t>> json_fields::number(std::string_view name, std::uint32_t least,
                                                         std::uint32_t most) const {
    const member* m = find(name);
    if (m == nullptr) {
        return std::optional<std::uint32_t>();
    }
    std::uint32_t value = 0;
    const char* const end = m->value.data() + m->value.size();
    const auto [behind, failure] = std::from_chars(m->value.data(), end, value);
    if (failure != std::errc{} || behind != end || value < least || value > most) {
        return refuse(name, "a whole number from " + std::to_string(least) + " to " + std::to_string(most));
    }
    return std::optional(value);
}

result<std::optional<bool>> json_fields::boolean(std::string_view name) const {
    const member* m = find(name);
    if (m == nullptr) {
        return std::optional<bool>();
    }
    if (m->value != "true" && m->value != "false") {
        return refuse(name, "true or false");
    }
    return std::optional(m->value == "true");
}

result<std::optional<std::uint32_t>> json_fields::limit(std::string_view name, std::uint32_t most) const {
    if (is_null(name)) {
        return std::optional<std::uint32_t>(0);
    }
    auto value = number(name, 1, most);
    return value ? value : refuse(name, "a whole number from 1 to " + std::to_string(most) + ", or null for no limit");
}

result<std::optional<json_fields>> json_fields::object(std::string_view name,
                                                       std::span<const std::string_view> allowed) const {
    const member* m = find(name);
    if (m == nullptr) {
        return std::optional<json_fields>();
    }
    if (m->value == "null") {
        return std::optional(json_fields());
    }
    if (!m->value.starts_with('{')) {
        return refuse(name, "an object with any of " + listed(allowed) + ", or null");
    }
    auto fields = parse(m->value, allowed, within_ + std::string(name) + ".");
    if (!fields) {
        return std::move(fields).error();
    }
    return std::optional(std::move(*fields));
}

}  // namespace concurred::pipeline
