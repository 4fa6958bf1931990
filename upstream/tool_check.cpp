#include "upstream/tool_check.hpp"

#include "upstream/json_parts.hpp"
#include "upstream/json_schema.hpp"
#include "upstream/refusal.hpp"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace concurred::upstream {

namespace {

using base::result;
using http::json_member;
using http::json_reader;

constexpr std::size_t longest_name = 64;

base::error wrong(std::string_view code, std::string field, std::string message) {
    base::error e = refuse(std::move(field), std::move(message));
    e.upstream_code = code;
    return e;
}

/// Of what a text is mostly made of, no quotation marks: finding those first is many times faster than memmem.
bool has_name(std::string_view text, std::string_view quoted) noexcept {
    return text.find(quoted) != std::string_view::npos;
}

bool is_tool_name(std::string_view name) noexcept {
    const auto plain = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
    };
    return !name.empty() && name.size() <= longest_name && std::all_of(name.begin(), name.end(), plain);
}

/// Names of the tools, in order.
using tool_names = std::vector<std::string>;

result<void> check_parameters(const json_part& parameters, const std::string& path) {
    if (!parameters) {
        return {};
    }
    if (!parameters.is_object()) {
        return wrong("tool_schema_invalid", path, path + " must be a JSON Schema: an object.");
    }
    if (!member_of(parameters.raw, "type").equals("object")) {
        return wrong("tool_schema_invalid", path, path + ".type must be 'object' at the root.");
    }
    if (const auto fault = schema_fault(parameters.raw)) {
        return wrong("tool_schema_invalid", path, path + " is no JSON Schema: " + *fault + ".");
    }
    return {};
}

result<void> check_tool(const json_part& tool, const std::string& path, tool_names& names) {
    json_part type;
    json_part function;
    json_part custom;
    read_members(tool.raw, {{"type", &type}, {"function", &function}, {"custom", &custom}});
    const bool is_custom = type.equals("custom");
    const std::string inner = path + (is_custom ? ".custom" : ".function");
    if (!is_custom && !type.equals("function")) {
        return wrong("tool_schema_invalid", path + ".type", path + ".type must be 'function' or 'custom'.");
    }
    json_part name;
    json_part parameters;
    read_members((is_custom ? custom : function).raw, {{"name", &name}, {"parameters", &parameters}});
    std::string text = name.text();
    if (!is_tool_name(text)) {
        return wrong("tool_schema_invalid", inner + ".name", inner + ".name must match ^[a-zA-Z0-9_-]{1,64}$.");
    }
    if (std::find(names.begin(), names.end(), text) != names.end()) {
        return wrong("tool_schema_invalid", inner + ".name", inner + ".name '" + text + "' is given to two tools.");
    }
    names.push_back(std::move(text));
    return is_custom ? result<void>() : check_parameters(parameters, inner + ".parameters");
}

result<void> check_list(const json_part& tools, tool_names& names) {
    if (!tools.is_array()) {
        return wrong("tool_schema_invalid", "tools", "'tools' must be an array.");
    }
    json_reader elements(tools.raw);
    for (std::size_t i = 0; const json_member* m = elements.next(); ++i) {
        if (i == max_tools) {
            return wrong("tool_schema_invalid", "tools", "'tools' may hold at most 128 tools.");
        }
        const result<void> ok = check_tool(json_part(*m), "tools[" + std::to_string(i) + "]", names);
        if (!ok) {
            return ok;
        }
    }
    return {};
}

/// Whether `choice`, a function or a custom tool, names one of the tools.
result<void> check_named(const json_part& choice, const std::string& path, const tool_names& names) {
    json_part type;
    json_part function;
    json_part custom;
    read_members(choice.raw, {{"type", &type}, {"function", &function}, {"custom", &custom}});
    const bool is_custom = type.equals("custom");
    const json_part name = member_of((is_custom ? custom : function).raw, "name");
    if ((!is_custom && !type.equals("function")) || !name.is_string()) {
        return wrong("tool_choice_invalid", "tool_choice",
                     "'tool_choice' must be none, auto, required, a function of 'tools', or allowed_tools.");
    }
    const std::string text = name.text();
    if (std::find(names.begin(), names.end(), text) == names.end()) {
        return wrong("tool_choice_invalid", "tool_choice",
                     path + (is_custom ? ".custom.name '" : ".function.name '") + (is_tool_name(text) ? text : "…") +
                         "' not found in the tools array.");
    }
    return {};
}

result<void> check_choice(const json_part& choice, const tool_names& names) {
    if (!choice || choice.equals("none") || choice.equals("auto")) {
        return {};
    }
    if (choice.equals("required")) {
        return names.empty() ? wrong("tool_choice_invalid", "tool_choice", "'tool_choice' is required without tools.")
                             : result<void>();
    }
    json_part type;
    json_part allowed;
    read_members(choice.raw, {{"type", &type}, {"allowed_tools", &allowed}});
    if (!type.equals("allowed_tools")) {
        return check_named(choice, "tool_choice", names);
    }
    const json_part list = member_of(allowed.raw, "tools");
    json_reader elements(list.is_array() ? list.raw : std::string_view("[]"));
    while (const json_member* m = elements.next()) {
        const result<void> ok = check_named(json_part(*m), "tool_choice.allowed_tools.tools", names);
        if (!ok) {
            return ok;
        }
    }
    return {};
}

/// Every result must belong to a call of an earlier message.
result<void> check_results(std::string_view messages) {
    std::vector<std::string> ids;
    json_reader elements(messages);
    for (std::size_t i = 0; const json_member* m = elements.next(); ++i) {
        json_part role;
        json_part calls;
        json_part id;
        read_members(m->value, {{"role", &role}, {"tool_calls", &calls}, {"tool_call_id", &id}});
        json_reader made(calls.is_array() ? calls.raw : std::string_view("[]"));
        while (const json_member* call = made.next()) {
            ids.push_back(member_of(call->value, "id").text());
        }
        if (role.equals("tool") && std::find(ids.begin(), ids.end(), id.text()) == ids.end()) {
            const std::string path = "messages[" + std::to_string(i) + "].tool_call_id";
            return wrong("tool_call_id_mismatch", path,
                         "'" + path + "' is the id of no tool call of an earlier assistant message.");
        }
    }
    return {};
}

}  // namespace

result<void> check_tools(const chat_request& request) {
    tool_names names;
    if (!request.tools.empty()) {
        const result<void> ok = check_list(json_part(request.tools), names);
        if (!ok) {
            return ok;
        }
    }
    if (!request.tool_choice.empty()) {
        const result<void> ok = check_choice(json_part(request.tool_choice), names);
        if (!ok) {
            return ok;
        }
    }
    return has_name(request.messages, "\"tool_call_id\"") ? check_results(request.messages) : result<void>();
}

result<void> check_tools_for(const chat_request& request, std::string_view model) {
    const bool none = model.find("deepseek-reasoner") != std::string_view::npos ||
                      model.find("deepseek-r1") != std::string_view::npos;
    if (!none || !request.tools.starts_with('[') || json_reader(request.tools).next() == nullptr) {
        return {};
    }
    return wrong("tool_unsupported_for_model", "tools",
                 "The model '" + std::string(model) + "' cannot use tools. Choose another, e.g. 'deepseek'.");
}

bool has_strict_tools(std::string_view tools) {
    if (!has_name(tools, "\"strict\"")) {
        return false;
    }
    json_reader elements(tools);
    while (const json_member* m = elements.next()) {
        if (member_of(member_of(m->value, "function").raw, "strict").is_true()) {
            return true;
        }
    }
    return false;
}

}  // namespace concurred::upstream
