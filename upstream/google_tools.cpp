#include "upstream/google_tools.hpp"

#include "upstream/google_schema.hpp"
#include "upstream/refusal.hpp"

#include <algorithm>
#include <string>
#include <vector>

namespace concurred::upstream {

namespace {

using base::result;
using http::json_member;
using http::json_reader;

/// A `tool_choice`, understood.
struct choice {
    std::string_view mode;             // AUTO, ANY, NONE; empty: nothing was said
    std::vector<std::string> names{};  // the functions that may be called; empty: all
};

std::string name_in(const json_part& tool) {
    return member_of(member_of(tool.raw, "function").raw, "name").text();
}

result<choice> unknown_choice() {
    return refuse("tool_choice",
                  "'tool_choice' must be none, auto, required, a function, or allowed_tools with functions.");
}

result<choice> read_allowed(const json_part& allowed) {
    json_part mode;
    json_part tools;
    read_members(allowed.raw, {{"mode", &mode}, {"tools", &tools}});
    choice c{mode.equals("required") ? "ANY" : "AUTO"};
    json_reader elements(tools.is_array() ? tools.raw : std::string_view("[]"));
    while (const json_member* m = elements.next()) {
        c.names.push_back(name_in(json_part(*m)));
    }
    return c.names.empty() ? unknown_choice() : result<choice>(std::move(c));
}

result<choice> read_choice(const json_part& value) {
    if (!value) {
        return choice{};
    }
    if (value.equals("auto")) {
        return choice{"AUTO"};
    }
    if (value.equals("none")) {
        return choice{"NONE"};
    }
    if (value.equals("required")) {
        return choice{"ANY"};
    }
    json_part type;
    json_part allowed;
    read_members(value.raw, {{"type", &type}, {"allowed_tools", &allowed}});
    if (type.equals("allowed_tools")) {
        return read_allowed(allowed);
    }
    choice c{"ANY", {name_in(value)}};
    return type.equals("function") && !c.names.front().empty() ? result<choice>(std::move(c)) : unknown_choice();
}

result<void> append_function(json_writer& w, const json_part& tool, bool& strict) {
    json_part name;
    json_part description;
    json_part parameters;
    json_part exact;
    read_members(member_of(tool.raw, "function").raw,
                 {{"name", &name}, {"description", &description}, {"parameters", &parameters}, {"strict", &exact}});
    if (!name.is_string()) {
        return refuse("tools", "Every element of 'tools' must be of type function and have 'function.name'.");
    }
    strict = strict || exact.is_true();
    w.open('{').member("name", name.raw);
    if (description.is_string()) {
        w.member("description", description.raw);
    }
    if (parameters.is_object() && !has_no_properties(parameters.raw)) {
        if (const auto schema = to_gemini_schema(parameters.raw)) {
            w.member("parameters", *schema);
        } else {
            w.key("parametersJsonSchema").raw("");
            append_compact(w.out(), parameters.raw);
        }
    }
    w.close('}');
    return {};
}

bool is_listed(const choice& c, const std::string& name) {
    return c.names.empty() || std::find(c.names.begin(), c.names.end(), name) != c.names.end();
}

/// @param strict set when a function asks for exact arguments
result<void> append_functions(json_writer& w, const json_part& tools, const choice& chosen, bool& strict) {
    // Mode AUTO takes no list of names: what is not allowed is left out instead.
    const bool only_listed = chosen.mode == "AUTO";
    w.open('{').key("functionDeclarations").open('[');
    json_reader elements(tools.raw);
    while (const json_member* m = elements.next()) {
        const json_part tool(*m);
        if (!member_of(tool.raw, "type").equals("function")) {
            return refuse("tools", "This provider (google) has only tools of type function.");
        }
        if (only_listed && !is_listed(chosen, name_in(tool))) {
            continue;
        }
        const result<void> ok = append_function(w, tool, strict);
        if (!ok) {
            return ok;
        }
    }
    w.close(']').close('}');
    return {};
}

void append_config(json_writer& w, const choice& chosen, bool validated) {
    w.key("toolConfig").open('{').key("functionCallingConfig").open('{');
    w.text_member("mode", validated ? "VALIDATED" : chosen.mode);
    if (chosen.mode == "ANY" && !chosen.names.empty()) {
        w.key("allowedFunctionNames").open('[');
        for (const std::string& name : chosen.names) {
            w.text(name);
        }
        w.close(']');
    }
    w.close('}').close('}');
}

}  // namespace

bool has_functions(const gemini_tool_fields& fields) {
    return fields.tools.is_array() && json_reader(fields.tools.raw).next() != nullptr;
}

result<void> append_gemini_tools(json_writer& w, const gemini_tool_fields& fields, const gemini_model& model) {
    const bool functions = has_functions(fields);
    if (!functions && !fields.web_search) {
        return {};
    }
    const result<choice> chosen = read_choice(fields.choice);
    if (!chosen) {
        return chosen.error();
    }
    bool strict = false;
    w.key("tools").open('[');
    if (functions) {
        const result<void> ok = append_functions(w, fields.tools, *chosen, strict);
        if (!ok) {
            return ok;
        }
    }
    if (fields.web_search) {
        w.raw(R"({"googleSearch":{}})");
    }
    w.close(']');
    const bool free = chosen->mode.empty() || chosen->mode == "AUTO";
    const bool validated = strict && free && model.validated_calls;
    if (functions && (!chosen->mode.empty() || validated)) {
        append_config(w, *chosen, validated);
    }
    return {};
}

}  // namespace concurred::upstream
