#include "bench/mock_anthropic_check.hpp"

#include "bench/mock_anthropic_schema.hpp"
#include "bench/mock_anthropic_talk.hpp"
#include "bench/mock_check_words.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <string>

namespace concurred::bench {
namespace {

using boost::json::value;
using verdict = std::optional<mock_failure>;
using sampling = anthropic_model::sampling;

mock_failure refusal(std::string message) {
    return {400, std::move(message)};
}

verdict check_version(const mock_request& request) {
    constexpr std::array<std::string_view, 3> versions{"2023-01-01", "2023-06-01", "2026-10-21"};
    if (request.version.empty()) {
        return refusal("anthropic-version: header is required");
    }
    if (std::ranges::find(versions, request.version) == versions.end()) {
        return refusal("anthropic-version: \"" + std::string(request.version) + "\" is not a valid version");
    }
    return std::nullopt;
}

verdict check_tools(const value& request) {
    std::set<std::string> names;
    const auto& tools = checks::elements(request, "tools");
    for (std::size_t i = 0; i < tools.size(); ++i) {
        const std::string name(checks::text(tools[i], "name"));
        if (!checks::plain_name(name, 128)) {
            return refusal("tools." + std::to_string(i) +
                           ".custom.name: String should match pattern '^[a-zA-Z0-9_-]{1,128}$'");
        }
        if (!names.insert(name).second) {
            return refusal("tools: Tool names must be unique.");
        }
    }
    const auto* choice = checks::member(request, "tool_choice");
    if (choice == nullptr) {
        return std::nullopt;
    }
    if (tools.empty()) {
        return refusal("tool_choice: tool_choice may only be specified while providing tools");
    }
    const std::string type(checks::text(*choice, "type"));
    const std::string wanted(checks::text(*choice, "name"));
    if (type == "tool" && !names.contains(wanted)) {
        return refusal("tool_choice: Tool '" + wanted + "' not found in provided tools");
    }
    const bool forced = type == "any" || type == "tool";
    if (forced && !anthropic_model_of(checks::text(request, "model")).forced) {
        return refusal("tool_choice.type: '" + type + "' is not supported by this model");
    }
    const auto* thinking = checks::member(request, "thinking");
    if (forced && thinking != nullptr && checks::text(*thinking, "type") != "disabled") {
        return refusal("Thinking may not be enabled when tool_choice forces tool use.");
    }
    return std::nullopt;
}

verdict check_sampling(const value& request) {
    const anthropic_model& model = anthropic_model_of(checks::text(request, "model"));
    const auto* temperature = checks::member(request, "temperature");
    const auto* top_p = checks::member(request, "top_p");
    const auto* top_k = checks::member(request, "top_k");
    if (model.samples == sampling::refused) {
        const bool warm = temperature != nullptr && temperature->to_number<double>() != 1;
        const bool narrow = top_p != nullptr && top_p->to_number<double>() < 0.99;
        if (warm || narrow || top_k != nullptr) {
            return refusal(std::string("`") +
                           (warm     ? "temperature"
                            : narrow ? "top_p"
                                     : "top_k") +
                           "` is deprecated for this model.");
        }
    }
    if (model.samples == sampling::one && temperature != nullptr && top_p != nullptr) {
        return refusal("`temperature` and `top_p` cannot both be specified for this model. Please use only one.");
    }
    return std::nullopt;
}

verdict check_thinking(const value& request) {
    const auto* thinking = checks::member(request, "thinking");
    if (thinking == nullptr) {
        return std::nullopt;
    }
    const anthropic_model& model = anthropic_model_of(checks::text(request, "model"));
    const std::string type(checks::text(*thinking, "type"));
    if ((type == "enabled" && !model.budget) || (type == "adaptive" && !model.adaptive) ||
        (type == "disabled" && !model.disabled)) {
        return refusal("\"thinking.type." + type + "\" is not supported for this model.");
    }
    if (type == "disabled") {
        return std::nullopt;
    }
    if (type == "enabled" && checks::member(*thinking, "budget_tokens")->to_number<double>() >=
                                 checks::member(request, "max_tokens")->to_number<double>()) {
        return refusal("`max_tokens` must be greater than `thinking.budget_tokens`.");
    }
    const auto* temperature = checks::member(request, "temperature");
    if (temperature != nullptr && temperature->to_number<double>() != 1) {
        return refusal("`temperature` may only be set to 1 when thinking is enabled.");
    }
    if (checks::member(request, "top_k") != nullptr) {
        return refusal("`top_k` must be unset when thinking is enabled.");
    }
    const auto* top_p = checks::member(request, "top_p");
    if (top_p != nullptr && top_p->to_number<double>() < 0.95) {
        return refusal("`top_p` must be greater than or equal to 0.95 or unset when thinking is enabled.");
    }
    return std::nullopt;
}

verdict check_limits(const value& request) {
    const std::string model(checks::text(request, "model"));
    const std::uint32_t longest = anthropic_model_of(model).longest;
    const auto* limit = checks::member(request, "max_tokens");
    if (longest != 0 && limit->to_number<double>() > longest) {
        return refusal("max_tokens: " + std::to_string(limit->to_number<std::int64_t>()) + " > " +
                       std::to_string(longest) + ", which is the maximum allowed number of output tokens for " + model);
    }
    for (const auto& stop : checks::elements(request, "stop_sequences")) {
        if (checks::blank(stop.get_string())) {
            return refusal("stop_sequences: each stop sequence must contain non-whitespace");
        }
    }
    return std::nullopt;
}

/// Adds the marks of the prompt cache below `value`.
void count_marks(const value& from, std::size_t& marks) {
    if (const auto* array = from.if_array()) {
        for (const auto& one : *array) {
            count_marks(one, marks);
        }
    } else if (const auto* mark = checks::member(from, "cache_control"); mark != nullptr && mark->is_object()) {
        ++marks;
    }
}

verdict check_cache(const value& request) {
    std::size_t marks = 0;
    count_marks(request, marks);
    for (const auto* name : {"system", "tools"}) {
        if (const auto* list = checks::member(request, name)) {
            count_marks(*list, marks);
        }
    }
    for (const auto& message : checks::elements(request, "messages")) {
        if (const auto* content = checks::member(message, "content")) {
            count_marks(*content, marks);
        }
    }
    if (marks > 4) {
        return refusal("A maximum of 4 blocks with cache_control may be provided. Found " + std::to_string(marks) +
                       ".");
    }
    return std::nullopt;
}

/// Rules for the schema of an answer: closed objects, and few keywords.
verdict check_answer_schema(const value& schema, std::string where) {
    constexpr std::array<std::string_view, 15> refused{
        "minimum",   "maximum",   "exclusiveMinimum", "exclusiveMaximum", "multipleOf",
        "minLength", "maxLength", "pattern",          "maxItems",         "uniqueItems",
        "not",       "oneOf",     "minProperties",    "maxProperties",    "patternProperties"};
    for (const auto keyword : refused) {
        if (checks::member(schema, keyword) != nullptr) {
            return refusal(where + ": property '" + std::string(keyword) + "' is not supported");
        }
    }
    const auto* extra = checks::member(schema, "additionalProperties");
    if (checks::text(schema, "type") == "object" && (extra == nullptr || *extra != false)) {
        return refusal(where + ": For 'object' type, 'additionalProperties' must be explicitly set to false");
    }
    if (const auto* properties = checks::member(schema, "properties");
        properties != nullptr && properties->is_object()) {
        for (const auto& property : properties->get_object()) {
            if (auto wrong = check_answer_schema(property.value(), where + "." + std::string(property.key()))) {
                return wrong;
            }
        }
    }
    if (const auto* items = checks::member(schema, "items"); items != nullptr && items->is_object()) {
        return check_answer_schema(*items, where + ".items");
    }
    for (const auto& choice : checks::elements(schema, "anyOf")) {
        if (auto wrong = check_answer_schema(choice, where + ".anyOf")) {
            return wrong;
        }
    }
    return std::nullopt;
}

verdict check_format(const value& request) {
    const auto* output = checks::member(request, "output_config");
    const auto* format = output == nullptr ? nullptr : checks::member(*output, "format");
    if (format == nullptr || !format->is_object()) {
        return std::nullopt;
    }
    if (!anthropic_model_of(checks::text(request, "model")).structured) {
        return refusal("output_config.format: structured outputs are not supported by this model");
    }
    return check_answer_schema(*checks::member(*format, "schema"), "output_config.format.schema");
}

}  // namespace

std::optional<mock_failure> check_anthropic(const mock_request& request) {
    if (auto wrong = check_version(request)) {
        return wrong;
    }
    const auto body = checks::parsed(request.body);
    if (!body) {
        return refusal("The request body is not valid JSON.");
    }
    if (const auto wrong = anthropic_schema().check(*body, "Request")) {
        return anthropic_words(*wrong);
    }
    for (const auto rule :
         {check_limits, check_tools, check_sampling, check_thinking, check_cache, check_format, check_anthropic_talk}) {
        if (auto wrong = rule(*body)) {
            return wrong;
        }
    }
    return std::nullopt;
}

}  // namespace concurred::bench
