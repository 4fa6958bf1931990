#include "upstream/anthropic_tools.hpp"

#include "upstream/field_refusal.hpp"
#include "upstream/json_writer.hpp"

#include <algorithm>

namespace concurred::upstream {

namespace {

using base::result;

constexpr std::string_view no_parameters = R"({"type":"object","properties":{}})";

// Anthropic wants an object at the root; a schema that does not say so means one.
void append_schema(json_writer& w, json_part parameters) {
    if (!parameters) {
        w.raw(no_parameters);
        return;
    }
    if (member_of(parameters.raw, "type")) {
        w.raw(parameters.raw);
        return;
    }
    w.open('{').text_member("type", "object");
    http::json_reader members(parameters.raw);
    while (const http::json_member* m = members.next()) {
        w.raw(parameters.raw.substr(m->begin, m->end - m->begin));
    }
    w.close('}');
}

void say_once(std::vector<std::string>& names, std::string_view name) {
    if (std::find(names.begin(), names.end(), name) == names.end()) {
        names.emplace_back(name);
    }
}

}  // namespace

result<void> anthropic_tools::take(json_part tools, json_part choice, json_part parallel) {
    if (tools) {
        if (!tools.is_array()) {
            return refuse_field("tools", "must be an array.");
        }
        http::json_reader list(tools.raw);
        for (std::size_t i = 0; const http::json_member* m = list.next(); ++i) {
            if (auto ok = take_tool(m->value, at_index("tools", i)); !ok) {
                return ok;
            }
        }
    }
    one_call_ = parallel.is_false();
    if (!choice || tools_.empty()) {
        return {};
    }
    return take_choice(choice);
}

result<void> anthropic_tools::take_tool(std::string_view given, const std::string& where) {
    json_part type;
    json_part function;
    json_part cache;
    read_members(given, {{"type", &type}, {"function", &function}, {"cache_control", &cache}});
    if (!type.equals("function")) {
        return refuse_field(where + ".type", "must be 'function' for models of Anthropic.");
    }
    json_part name;
    json_part description;
    json_part parameters;
    json_part strict;
    json_part own_cache;
    read_members(function.raw, {{"name", &name},
                                {"description", &description},
                                {"parameters", &parameters},
                                {"strict", &strict},
                                {"cache_control", &own_cache}});
    if (!name.is_string() || name.is_empty_string()) {
        return refuse_field(where + ".function.name", "must be a non-empty string.");
    }
    if (parameters && !parameters.is_object()) {
        return refuse_field(where + ".function.parameters", "must be a JSON Schema, an object.");
    }
    tool t{name.text(), {}};
    json_writer w(t.json);
    w.open('{').member("name", name.raw);
    if (description.is_string() && !description.is_empty_string()) {
        w.member("description", description.raw);
    }
    w.key("input_schema");
    append_schema(w, parameters);
    const json_part kept = cache ? cache : own_cache;
    if (kept) {
        w.member("cache_control", kept.raw);
    }
    w.close('}');
    tools_.push_back(std::move(t));
    return {};
}

result<void> anthropic_tools::take_choice(json_part choice) {
    if (choice.equals("auto") || choice.equals("none")) {
        kind_ = choice.text();
        return {};
    }
    if (choice.equals("required")) {
        force("any");
        return {};
    }
    const json_part type = member_of(choice.raw, "type");
    if (type.equals("function")) {
        const json_part function = member_of(choice.raw, "function");
        return take_named(member_of(function.raw, "name"), "tool_choice.function.name");
    }
    if (type.equals("allowed_tools")) {
        return take_allowed(member_of(choice.raw, "allowed_tools").raw);
    }
    return refuse_field("tool_choice",
                        "must be 'auto', 'none', 'required' or an object of type 'function' or 'allowed_tools' for "
                        "models of Anthropic.");
}

result<void> anthropic_tools::take_named(json_part name, const std::string& where) {
    name_ = name.text();
    const auto named = [this](const tool& t) { return t.name == name_; };
    const auto found = std::find_if(tools_.begin(), tools_.end(), named);
    if (found == tools_.end()) {
        base::error e = refuse_field(where, "names no function in 'tools'.");
        e.param = "tool_choice";
        return e;
    }
    force("tool");
    if (kind_ == "auto") {
        // Not to be forced: the only tool there is comes nearest to it.
        tool only = std::move(*found);
        tools_.clear();
        tools_.push_back(std::move(only));
    }
    return {};
}

result<void> anthropic_tools::take_allowed(std::string_view allowed) {
    json_part mode;
    json_part list;
    read_members(allowed, {{"mode", &mode}, {"tools", &list}});
    if (!list.is_array()) {
        return refuse_field("tool_choice.allowed_tools.tools", "must be an array.");
    }
    std::vector<std::string> names;
    http::json_reader entries(list.raw);
    while (const http::json_member* m = entries.next()) {
        names.push_back(member_of(member_of(m->value, "function").raw, "name").text());
    }
    std::erase_if(tools_,
                  [&names](const tool& t) { return std::find(names.begin(), names.end(), t.name) == names.end(); });
    if (tools_.empty()) {
        return refuse_field("tool_choice.allowed_tools.tools", "names no function in 'tools'.");
    }
    if (mode.equals("required")) {
        force("any");
    } else {
        kind_ = "auto";
    }
    return {};
}

void anthropic_tools::force(std::string kind) {
    if (model_.forced_tools && !thinks_) {
        kind_ = std::move(kind);
        return;
    }
    kind_ = "auto";
    say_once(dropped_, "tool_choice");
}

void anthropic_tools::declare(const std::vector<std::string>& names) {
    if (!tools_.empty() || names.empty()) {
        return;
    }
    for (const std::string& name : names) {
        tool t{name, {}};
        json_writer w(t.json);
        w.open('{').text_member("name", name).member("input_schema", no_parameters).close('}');
        tools_.push_back(std::move(t));
    }
    kind_ = "none";
}

void anthropic_tools::force_answer(const std::string& name, std::string_view schema) {
    tool t{name, {}};
    json_writer w(t.json);
    w.open('{').text_member("name", name).text_member("description", "Gives the answer.");
    w.key("input_schema");
    append_schema(w, json_part(schema));
    w.close('}');
    tools_.push_back(std::move(t));
    kind_ = "tool";
    name_ = name;
}

std::string anthropic_tools::list() const {
    std::string out;
    json_writer w(out);
    for (const tool& t : tools_) {
        w.raw(t.json);
    }
    if (!server_tools_.empty()) {
        w.raw(server_tools_);
    }
    return out;
}

std::string anthropic_tools::choice() const {
    std::string out;
    if (tools_.empty() || (kind_.empty() && !one_call_)) {
        return out;
    }
    json_writer w(out);
    w.open('{').text_member("type", kind_.empty() ? "auto" : kind_);
    if (kind_ == "tool") {
        w.text_member("name", name_);
    }
    if (one_call_ && kind_ != "none") {
        w.member("disable_parallel_tool_use", "true");
    }
    w.close('}');
    return out;
}

}  // namespace concurred::upstream
