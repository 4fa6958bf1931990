#include "bench/mock_gemini_check.hpp"

#include "bench/mock_check_words.hpp"
#include "bench/mock_gemini_schema.hpp"
#include "bench/mock_gemini_talk.hpp"

#include <algorithm>
#include <set>
#include <string>

namespace concurred::bench {
namespace {

using boost::json::value;
using verdict = std::optional<mock_failure>;

mock_failure refusal(std::string message, std::string param = {}) {
    return {400, std::move(message), {}, std::move(param)};
}

bool is(std::string_view type, std::string_view upper, std::string_view lower) noexcept {
    return type == upper || type == lower;
}

/// Rules for a schema that its keywords alone do not show.
verdict check_schema(const value& schema, const std::string& where) {
    const auto wrong = [&where](std::string_view what) {
        return refusal("* GenerateContentRequest." + where + std::string(what), where);
    };
    const std::string_view type = checks::text(schema, "type");
    const auto* any_of = checks::member(schema, "anyOf");
    const auto& members = schema.get_object();
    if (any_of != nullptr) {
        const bool alone = std::ranges::all_of(members, [](const auto& member) {
            return member.key() == "anyOf" || member.key() == "description" || member.key() == "nullable" ||
                   member.key() == "title";
        });
        if (!alone) {
            return wrong(": when using any_of, it must be the only field set");
        }
    } else if (type.empty()) {
        return wrong(".type: must be specified");
    }
    if (is(type, "ARRAY", "array") && checks::member(schema, "items") == nullptr) {
        return wrong(".items: missing field.");
    }
    if (checks::member(schema, "enum") != nullptr && !is(type, "STRING", "string")) {
        return wrong(".enum: only allowed for STRING type");
    }
    for (const auto& one : checks::elements(schema, "enum")) {
        if (one.get_string().empty()) {
            return wrong(".enum: cannot be empty");
        }
    }
    const std::string_view format = checks::text(schema, "format");
    if (is(type, "STRING", "string") && !format.empty() && format != "enum" && format != "date-time") {
        return wrong(".format: only 'enum' and 'date-time' are supported for STRING type");
    }
    const auto* properties = checks::member(schema, "properties");
    for (const auto& name : checks::elements(schema, "required")) {
        if (properties == nullptr || properties->get_object().if_contains(name.get_string()) == nullptr) {
            return wrong(".required: property is not defined: " + std::string(name.get_string()));
        }
    }
    if (properties != nullptr) {
        if (properties->get_object().empty()) {
            return wrong(".properties: should be non-empty for OBJECT type");
        }
        for (const auto& property : properties->get_object()) {
            if (auto found =
                    check_schema(property.value(), where + ".properties[" + std::string(property.key()) + "]")) {
                return found;
            }
        }
    }
    if (const auto* items = checks::member(schema, "items")) {
        return check_schema(*items, where + ".items");
    }
    for (const auto& choice : checks::elements(schema, "anyOf")) {
        if (auto found = check_schema(choice, where + ".any_of")) {
            return found;
        }
    }
    return std::nullopt;
}

/// A name begins with a letter or an underscore, and has dots and colons too.
bool function_name(std::string_view name) noexcept {
    std::string plain(name);
    std::ranges::replace_if(
        plain, [](char c) { return c == '.' || c == ':'; }, '_');
    return checks::plain_name(plain, 64) && name.front() != '-' && (name.front() < '0' || name.front() > '9');
}

verdict check_declaration(const value& function, const std::string& where, std::set<std::string>& names) {
    const std::string name(checks::text(function, "name"));
    if (!function_name(name)) {
        return refusal("* GenerateContentRequest." + where +
                           ".name: Invalid function name. Must start with a letter or an underscore. Must be "
                           "alphanumeric (a-z, A-Z, 0-9), underscores (_), dots (.), colons (:), or dashes (-), with a "
                           "maximum length of 64.",
                       where + ".name");
    }
    if (!names.insert(name).second) {
        return refusal("Duplicate function declaration found: " + name, where + ".name");
    }
    const auto* parameters = checks::member(function, "parameters");
    if (parameters == nullptr) {
        return std::nullopt;
    }
    if (checks::member(function, "parametersJsonSchema") != nullptr) {
        return refusal("parameters_json_schema must not be set when parameters is set.", where);
    }
    if (!is(checks::text(*parameters, "type"), "OBJECT", "object")) {
        return refusal("* GenerateContentRequest." + where + ".parameters: must be an OBJECT", where + ".parameters");
    }
    if (checks::member(*parameters, "properties") == nullptr) {
        return refusal(
            "* GenerateContentRequest." + where + ".parameters.properties: should be non-empty for OBJECT type",
            where + ".parameters.properties");
    }
    return check_schema(*parameters, where + ".parameters");
}

verdict check_tools(const value& request, std::set<std::string>& names) {
    const auto& tools = checks::elements(request, "tools");
    for (std::size_t i = 0; i < tools.size(); ++i) {
        const auto& functions = checks::elements(tools[i], "functionDeclarations");
        for (std::size_t k = 0; k < functions.size(); ++k) {
            const std::string where =
                "tools[" + std::to_string(i) + "].function_declarations[" + std::to_string(k) + "]";
            if (auto wrong = check_declaration(functions[k], where, names)) {
                return wrong;
            }
        }
    }
    const auto* configuration = checks::member(request, "toolConfig");
    const auto* calling = configuration == nullptr ? nullptr : checks::member(*configuration, "functionCallingConfig");
    if (calling == nullptr) {
        return std::nullopt;
    }
    const std::string_view mode = checks::text(*calling, "mode");
    if (names.empty() && mode != "NONE") {
        return refusal("Function calling config is set without function_declarations.", "toolConfig");
    }
    for (const auto& allowed : checks::elements(*calling, "allowedFunctionNames")) {
        const std::string name(allowed.get_string());
        if (mode != "ANY" && mode != "VALIDATED") {
            return refusal("allowed_function_names should only be set when the mode is ANY.",
                           "toolConfig.functionCallingConfig");
        }
        if (!names.contains(name)) {
            return refusal("allowed_function_names contains a function that is not declared: " + name,
                           "toolConfig.functionCallingConfig");
        }
    }
    return std::nullopt;
}

verdict check_generation(const value& request, std::string_view model, bool functions) {
    const auto* generation = checks::member(request, "generationConfig");
    if (generation == nullptr) {
        return std::nullopt;
    }
    const auto given = [generation](std::string_view name) { return checks::member(*generation, name) != nullptr; };
    const bool json = checks::text(*generation, "responseMimeType") == "application/json";
    if ((given("responseSchema") || given("responseJsonSchema")) && !json) {
        return refusal("Response schema is only supported with mime type: 'application/json'.", "generationConfig");
    }
    if (const auto* schema = checks::member(*generation, "responseSchema")) {
        if (auto wrong = check_schema(*schema, "generation_config.response_schema")) {
            return wrong;
        }
    }
    if (json && functions && model.starts_with("gemini-2")) {
        return refusal("Function calling with a response mime type: 'application/json' is unsupported");
    }
    const bool later =
        model.starts_with("gemini-2.5") || model.starts_with("gemini-3") || model.starts_with("gemini-4");
    if (later && (given("presencePenalty") || given("frequencyPenalty"))) {
        return refusal("Penalty is not enabled for models/" + std::string(model), "generationConfig");
    }
    const auto* thinking = checks::member(*generation, "thinkingConfig");
    if (thinking == nullptr) {
        return std::nullopt;
    }
    const auto* budget = checks::member(*thinking, "thinkingBudget");
    const std::string_view level = checks::text(*thinking, "thinkingLevel");
    if (budget != nullptr && !level.empty()) {
        return refusal("You can only set only one of thinking budget and thinking level.", "generationConfig");
    }
    if (model.starts_with("gemini-2") && !level.empty()) {
        return refusal("Thinking level is not supported for this model.", "generationConfig");
    }
    if (model.starts_with("gemini-4") && (budget != nullptr || is(level, "MINIMAL", "minimal"))) {
        return refusal("Thinking budget and thinking level MINIMAL are not supported for this model.",
                       "generationConfig");
    }
    if (model.starts_with("gemini-2.5-pro") && budget != nullptr && *budget == 0) {
        return refusal("Budget 0 is invalid. This model only works in thinking mode.", "generationConfig");
    }
    return std::nullopt;
}

}  // namespace

std::optional<mock_failure> check_gemini(const mock_request& request, std::string_view model) {
    const auto body = checks::parsed(request.body);
    if (!body) {
        return refusal("Invalid JSON payload received.");
    }
    if (const auto wrong = gemini_schema().check(*body, "Request")) {
        return gemini_words(*wrong);
    }
    std::set<std::string> names;
    if (auto wrong = check_tools(*body, names)) {
        return wrong;
    }
    if (auto wrong = check_generation(*body, model, !names.empty())) {
        return wrong;
    }
    return check_gemini_talk(*body, model);
}

}  // namespace concurred::bench
