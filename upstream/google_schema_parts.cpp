#include "upstream/google_schema_parts.hpp"

#include "gateway/http/json_string.hpp"

#include <algorithm>

namespace concurred::upstream {

namespace {

using http::json_kind;
using http::json_member;
using http::json_reader;

constexpr std::size_t max_references = 32;  // one inside the other

void take_types(const json_part& type, gathered_schema& g) {
    const auto add = [&g](const json_part& one) {
        std::string name = one.text();
        std::transform(name.begin(), name.end(), name.begin(),
                       [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; });
        if (name == "null") {
            g.nullable = true;
        } else if (!name.empty() && std::find(g.types.begin(), g.types.end(), name) == g.types.end()) {
            g.types.push_back(std::move(name));
        }
    };
    g.types.clear();
    if (!type.is_array()) {
        add(type);
        return;
    }
    json_reader names(type.raw);
    while (const json_member* m = names.next()) {
        add(json_part(*m));
    }
}

void take_values(const json_part& list, gathered_schema& g) {
    g.values.clear();
    g.enumerated = true;
    json_reader values(list.raw);
    while (const json_member* m = values.next()) {
        if (m->kind == json_kind::null) {
            g.nullable = true;
        } else {
            g.values.emplace_back(*m);
        }
    }
}

void take_choices(const json_part& list, gathered_schema& g) {
    json_reader choices(list.raw);
    while (const json_member* m = choices.next()) {
        const json_part choice(*m);
        if (member_of(choice.raw, "type").equals("null")) {
            g.nullable = true;
        } else {
            g.choices.push_back(choice);
        }
    }
}

void take(const json_member& m, gathered_schema& g) {
    const json_part value(m);
    const auto is = [&m](std::string_view name) { return is_named(m, name); };
    for (std::size_t i = 0; i != gemini_schema_keywords.size(); ++i) {
        if (is(gemini_schema_keywords[i])) {
            g.plain[i] = value;
            return;
        }
    }
    if (is("type")) {
        take_types(value, g);
    } else if (is("nullable")) {
        g.nullable = g.nullable || value.is_true();
    } else if (is("description")) {
        g.description = value.text();
    } else if (is("format")) {
        g.format = value;
    } else if (is("items")) {
        (value.is_array() ? g.prefix_items : g.items) = value;
    } else if (is("prefixItems")) {
        g.prefix_items = value;
    } else if (is("default")) {
        g.preset = value;
    } else if (is("example")) {
        g.example = value;
    } else if (is("exclusiveMinimum")) {
        g.exclusive_minimum = value;
    } else if (is("exclusiveMaximum")) {
        g.exclusive_maximum = value;
    } else if (is("enum") && value.is_array()) {
        take_values(value, g);
    } else if (is("const")) {
        g.values.clear();
        g.enumerated = true;
        g.nullable = g.nullable || value.kind == json_kind::null;
        if (value.kind != json_kind::null) {
            g.values.push_back(value);
        }
    } else if ((is("anyOf") || is("oneOf")) && value.is_array()) {
        take_choices(value, g);
    } else if (is("properties") && value.is_object()) {
        json_reader properties(value.raw);
        while (const json_member* p = properties.next()) {
            std::string name = http::json_unescape(p->key).value_or(std::string());
            std::erase_if(g.properties, [&](const auto& known) { return known.first == name; });
            g.properties.emplace_back(std::move(name), p->value);
        }
    } else if (is("required") && value.is_array()) {
        json_reader names(value.raw);
        while (const json_member* name = names.next()) {
            g.required.push_back(json_part(*name).text());
        }
    }
}

}  // namespace

bool schema_gatherer::gather(std::string_view schema, gathered_schema& g) {
    json_part reference;
    json_part all;
    read_members(schema, {{"$ref", &reference}, {"allOf", &all}});
    if ((reference && !follow(reference, g)) || (all.is_array() && !gather_all(all, g))) {
        return false;
    }
    json_reader members(schema);  // what stands beside a reference overrides it
    while (const json_member* m = members.next()) {
        take(*m, g);
    }
    if (g.choices.size() == 1) {  // a choice of one is none
        const json_part only = std::exchange(g.choices, {}).front();
        const std::string description = g.description;
        if (only.is_object() && !gather(only.raw, g)) {
            return false;
        }
        if (!description.empty()) {
            g.description = description;
        }
    }
    return true;
}

bool schema_gatherer::gather_all(const json_part& list, gathered_schema& g) {
    json_reader parts(list.raw);
    while (const json_member* m = parts.next()) {
        if (m->kind == json_kind::object && !gather(m->value, g)) {
            return false;
        }
    }
    return true;
}

/// Takes what a reference inside the schema names, e.g. "#/$defs/point".
bool schema_gatherer::follow(const json_part& reference, gathered_schema& g) {
    const std::string path = reference.text();
    if (!path.starts_with('#') || references_.size() == max_references ||
        std::find(references_.begin(), references_.end(), path) != references_.end()) {
        return false;
    }
    std::string_view at = root_;
    for (std::size_t begin = 1; begin < path.size();) {
        const std::size_t end = std::min(path.find('/', begin + 1), path.size());
        std::string name = path.substr(begin + 1, end - begin - 1);
        for (const auto& [escape, character] : {std::pair{"~1", "/"}, std::pair{"~0", "~"}}) {
            for (std::size_t p = 0; (p = name.find(escape, p)) != std::string::npos; ++p) {
                name.replace(p, 2, character);
            }
        }
        at = member_of(at, name).raw;
        begin = end;
    }
    if (at.empty() || at.front() != '{') {
        return false;
    }
    references_.push_back(path);
    return gather(at, g);  // stays until `forget_below`
}

}  // namespace concurred::upstream
