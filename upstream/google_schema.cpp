#include "upstream/google_schema.hpp"

#include "upstream/google_schema_parts.hpp"
#include "upstream/json_writer.hpp"

#include <algorithm>
#include <cstdint>

namespace concurred::upstream {

namespace {

using http::json_member;
using http::json_reader;

class rewriter {
public:
    explicit rewriter(std::string_view root) noexcept : gatherer_(root) {}

    /// @return false: it cannot be written
    bool write(std::string& out, std::string_view schema) {
        if (schema.empty() || schema.front() != '{') {
            out += "{}";  // true and false allow everything and nothing, which Gemini cannot say
            return true;
        }
        const std::size_t depth = gatherer_.depth();
        gathered_schema g;
        const bool ok = gatherer_.gather(schema, g) && emit(out, g) && out.size() <= max_gemini_schema;
        gatherer_.forget_below(depth);
        return ok;
    }

private:
    bool emit(std::string& out, gathered_schema& g);
    bool emit_choices(json_writer& w, gathered_schema& g);
    bool emit_typed(json_writer& w, gathered_schema& g, std::string_view type);
    bool emit_items(json_writer& w, const gathered_schema& g);
    bool emit_properties(json_writer& w, const gathered_schema& g);
    void emit_values(json_writer& w, const gathered_schema& g);

    schema_gatherer gatherer_;
};

std::string infer_type(const gathered_schema& g) {
    if (!g.properties.empty()) {
        return "object";
    }
    if (g.items || g.prefix_items) {
        return "array";
    }
    const bool texts = !g.values.empty() &&
                       std::all_of(g.values.begin(), g.values.end(), [](const json_part& v) { return v.is_string(); });
    return texts ? "string" : std::string();
}

/// Values of an enumeration that Gemini cannot take go where the model reads them.
void describe_values(gathered_schema& g) {
    const bool texts = std::all_of(g.values.begin(), g.values.end(), [](const json_part& v) { return v.is_string(); });
    if (!g.enumerated || texts) {
        return;
    }
    g.description += g.description.empty() ? "One of: " : " One of: ";
    for (std::size_t i = 0; i != g.values.size(); ++i) {
        g.description.append(i == 0 ? "" : ", ").append(g.values[i].raw);
    }
    g.description += '.';
    g.values.clear();
}

bool rewriter::emit(std::string& out, gathered_schema& g) {
    json_writer w(out);
    w.open('{');
    describe_values(g);
    bool ok = true;
    if (g.types.empty() && g.choices.empty()) {
        if (std::string type = infer_type(g); !type.empty()) {
            g.types.push_back(std::move(type));
        }
    }
    if (!g.choices.empty() || g.types.size() > 1) {
        ok = emit_choices(w, g);
    } else {
        ok = emit_typed(w, g, g.types.empty() ? std::string_view() : std::string_view(g.types.front()));
    }
    if (!g.description.empty()) {
        w.text_member("description", g.description);
    }
    if (g.nullable) {
        w.member("nullable", "true");
    }
    w.close('}');
    return ok;
}

// Beside `anyOf` Gemini allows nothing but a description and `nullable`.
bool rewriter::emit_choices(json_writer& w, gathered_schema& g) {
    w.key("anyOf").open('[');
    bool ok = true;
    if (!g.choices.empty()) {
        for (const json_part& choice : g.choices) {
            w.raw("");
            ok = ok && write(w.out(), choice.raw);
        }
    } else {
        for (const std::string& type : g.types) {
            w.open('{');
            ok = ok && emit_typed(w, g, type);
            w.close('}');
        }
    }
    w.close(']');
    return ok;
}

bool rewriter::emit_typed(json_writer& w, gathered_schema& g, std::string_view type) {
    if (!type.empty()) {
        w.text_member("type", type);
    }
    const bool text = type == "string";
    const bool number = type == "number" || type == "integer";
    const bool several = g.types.size() > 1;
    for (std::size_t i = 0; i != gemini_schema_keywords.size(); ++i) {
        const std::string_view name = gemini_schema_keywords[i];
        const bool of_arrays = name.ends_with("Items");
        const bool of_objects = name.ends_with("Properties") || name == "propertyOrdering";
        const bool of_numbers = name == "minimum" || name == "maximum";
        const bool of_texts = name.ends_with("Length") || name == "pattern";
        const bool fits = !several || (of_arrays    ? type == "array"
                                       : of_objects ? type == "object"
                                       : of_numbers ? number
                                       : of_texts   ? text
                                                    : false);
        if (g.plain[i] && fits) {
            w.member(name, g.plain[i].raw);
        }
    }
    if (type == "integer") {
        if (const auto above = g.exclusive_minimum.integer(); above && *above < INT64_MAX) {
            w.member("minimum", std::to_string(*above + 1));
        }
        if (const auto below = g.exclusive_maximum.integer(); below && *below > INT64_MIN) {
            w.member("maximum", std::to_string(*below - 1));
        }
    }
    if (text && (g.format.equals("date-time") || g.format.equals("enum"))) {
        w.member("format", g.format.raw);
    }
    if (number && (g.format.equals("int32") || g.format.equals("int64") || g.format.equals("float") ||
                   g.format.equals("double"))) {
        w.member("format", g.format.raw);
    }
    if (g.preset && !several) {
        w.member("default", g.preset.raw);
    }
    if (g.example && !several) {
        w.member("example", g.example.raw);
    }
    if (text) {
        emit_values(w, g);
    }
    return (type != "array" || emit_items(w, g)) && (type != "object" || emit_properties(w, g));
}

void rewriter::emit_values(json_writer& w, const gathered_schema& g) {
    if (g.values.empty()) {
        return;
    }
    w.key("enum").open('[');
    for (const json_part& value : g.values) {
        w.raw(value.raw);
    }
    w.close(']');
}

bool rewriter::emit_items(json_writer& w, const gathered_schema& g) {
    w.key("items");
    if (g.items) {
        return write(w.out(), g.items.raw);
    }
    if (!g.prefix_items) {
        w.raw(R"({"type":"string"})");  // a list of no known kind: Gemini insists on one
        return true;
    }
    bool ok = true;
    w.open('{').key("anyOf").open('[');
    json_reader kinds(g.prefix_items.raw);
    while (const json_member* m = kinds.next()) {
        w.raw("");
        ok = ok && write(w.out(), m->value);
    }
    w.close(']').close('}');
    return ok;
}

bool rewriter::emit_properties(json_writer& w, const gathered_schema& g) {
    if (g.properties.empty()) {
        return true;
    }
    w.key("properties").open('{');
    for (const auto& [name, schema] : g.properties) {
        w.text(name);
        w.out() += ':';
        if (!write(w.out(), schema)) {
            return false;
        }
    }
    w.close('}');
    bool any = false;
    for (std::size_t i = 0; i != g.required.size(); ++i) {
        const std::string& name = g.required[i];
        const auto same = [&name](const auto& p) { return p.first == name; };
        const bool repeated = std::find(g.required.begin(), g.required.begin() + static_cast<std::ptrdiff_t>(i),
                                        name) != g.required.begin() + static_cast<std::ptrdiff_t>(i);
        if (repeated || std::none_of(g.properties.begin(), g.properties.end(), same)) {
            continue;
        }
        if (!std::exchange(any, true)) {
            w.key("required").open('[');
        }
        w.text(name);
    }
    if (any) {
        w.close(']');
    }
    return true;
}

}  // namespace

std::optional<std::string> to_gemini_schema(std::string_view schema) {
    std::string out;
    return rewriter(schema).write(out, schema) ? std::optional(std::move(out)) : std::nullopt;
}

bool has_no_properties(std::string_view schema) {
    json_part properties;
    json_part reference;
    json_part all;
    json_part any;
    json_part one;
    read_members(
        schema, {{"properties", &properties}, {"$ref", &reference}, {"allOf", &all}, {"anyOf", &any}, {"oneOf", &one}});
    const bool none = !properties || json_reader(properties.raw).next() == nullptr;
    return none && !reference && !all && !any && !one;
}

}  // namespace concurred::upstream
