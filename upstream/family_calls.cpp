#include "upstream/family_calls.hpp"

#include "gateway/http/json_string.hpp"
#include "upstream/call_id.hpp"
#include "upstream/json_writer.hpp"

#include <algorithm>

namespace concurred::upstream {

namespace {

constexpr std::size_t most_calls = 1024;  // in one answer; what goes beyond is no answer of a model

/// Arguments as OpenAI's text of JSON; some models send the object itself.
std::uint64_t append_arguments(json_writer& w, const json_part& arguments) {
    if (arguments.is_string()) {
        w.member("arguments", arguments.raw);
        return http::json_unescaped_size(arguments.raw.substr(1, arguments.raw.size() - 2));
    }
    std::string text;
    if (arguments.is_object()) {
        append_compact(text, arguments.raw);
    }
    w.text_member("arguments", text);
    return text.size();
}

}  // namespace

/// Place of the call that a piece belongs to; behind the last: it begins one.
std::size_t family_calls::find(const json_part& index, bool opens) const noexcept {
    if (const auto number = index.integer(); number && *number >= 0) {
        const auto found = std::find_if(calls_.begin(), calls_.end(), [&](const call& c) {
            return c.upstream_index == static_cast<std::uint64_t>(*number);
        });
        return static_cast<std::size_t>(found - calls_.begin());
    }
    return opens || calls_.empty() ? calls_.size() : calls_.size() - 1;
}

std::string family_calls::new_id(const json_part& given, std::string_view answer_id) const {
    std::string id = given.text();
    const auto same = [&id](const call& c) { return c.id == id; };
    if (id.empty() || std::any_of(calls_.begin(), calls_.end(), same)) {
        id = made_call_id(answer_id, 0, static_cast<unsigned>(calls_.size()));
    }
    return id;
}

std::uint64_t family_calls::append(std::string& out, const json_part& calls, std::string_view answer_id,
                                   bool with_index) {
    std::uint64_t octets = 0;
    json_writer w(out);
    http::json_reader elements(calls.is_array() ? calls.raw : std::string_view("[]"));
    while (const http::json_member* m = elements.next()) {
        json_part index;
        json_part id;
        json_part function;
        json_part extra;
        json_part name;
        json_part arguments;
        json_part custom;
        read_members(
            m->value,
            {{"index", &index}, {"id", &id}, {"function", &function}, {"custom", &custom}, {"extra_content", &extra}});
        if (custom.is_object()) {  // not a function's: as it is
            w.raw("");
            append_compact(out, m->value);
            octets += custom.raw.size();
            continue;
        }
        read_members(function.raw, {{"name", &name}, {"arguments", &arguments}});
        const bool named = name.is_string() && !name.is_empty_string();
        const std::size_t at = find(index, named || (id.is_string() && !id.is_empty_string()));
        if (at == most_calls) {
            break;
        }
        w.open('{');
        if (with_index) {
            w.number_member("index", at);
        }
        const bool first = at == calls_.size();
        if (first) {
            const auto number = index.integer();
            std::string made = new_id(id, answer_id);
            w.text_member("id", made).text_member("type", "function");
            calls_.push_back(
                {number && *number >= 0 ? std::optional(static_cast<std::uint64_t>(*number)) : std::nullopt,
                 std::move(made)});
        }
        w.key("function").open('{');
        if (first) {
            w.member("name", name.is_string() ? name.raw : std::string_view("\"\""));
            octets += name.is_string() ? name.raw.size() - 2 : 0;
        }
        octets += append_arguments(w, arguments);
        w.close('}');
        if (extra) {
            w.member("extra_content", extra.raw);
        }
        w.close('}');
    }
    return octets;
}

}  // namespace concurred::upstream
