#include "bench/mock_openai_check.hpp"

#include "bench/mock_check_words.hpp"
#include "bench/mock_openai_schema.hpp"

#include <algorithm>
#include <set>
#include <string>
#include <vector>

namespace concurred::bench {
namespace {

using boost::json::value;
using verdict = std::optional<mock_failure>;

mock_failure refusal(std::string message, std::string param, std::string code = {}) {
    return {400, std::move(message), std::move(code), std::move(param)};
}

std::string at(std::string_view list, std::size_t index, std::string_view rest = {}) {
    return std::string(list) + "[" + std::to_string(index) + "]" + std::string(rest);
}

/// Every tool call has its result right behind it, and every result its call.
verdict check_results(const value& request) {
    std::set<std::string> open;
    const auto& messages = checks::elements(request, "messages");
    for (std::size_t i = 0; i < messages.size(); ++i) {
        const std::string_view role = checks::text(messages[i], "role");
        if (role == "tool" && open.erase(std::string(checks::text(messages[i], "tool_call_id"))) == 0) {
            return refusal(
                "Invalid parameter: messages with role 'tool' must be a response to a preceeding message with "
                "'tool_calls'.",
                at("messages", i, ".role"));
        }
        if (role != "tool" && !open.empty()) {
            break;
        }
        for (const auto& call : checks::elements(messages[i], "tool_calls")) {
            open.emplace(checks::text(call, "id"));
        }
    }
    if (open.empty()) {
        return std::nullopt;
    }
    std::string ids;
    for (const auto& id : open) {
        ids.append(ids.empty() ? "" : ", ").append(id);
    }
    return refusal(
        "An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. "
        "The following tool_call_ids did not have response messages: " +
            ids,
        "messages");
}

verdict check_functions(const value& request) {
    const auto& tools = checks::elements(request, "tools");
    for (std::size_t i = 0; i < tools.size(); ++i) {
        const auto* function = checks::member(tools[i], "function");
        if (function == nullptr) {
            continue;
        }
        const std::string name(checks::text(*function, "name"));
        if (!checks::plain_name(name, 64)) {
            return refusal("Invalid 'tools[" + std::to_string(i) +
                               "].function.name': string does not match pattern. Expected a string that matches the "
                               "pattern '^[a-zA-Z0-9_-]+$'.",
                           at("tools", i, ".function.name"), "invalid_value");
        }
        const auto* parameters = checks::member(*function, "parameters");
        if (parameters != nullptr && checks::text(*parameters, "type") != "object") {
            return refusal(
                "Invalid schema for function '" + name + "': schema must be a JSON Schema of 'type: \"object\"'.",
                at("tools", i, ".function.parameters"), "invalid_function_parameters");
        }
    }
    const auto* choice = checks::member(request, "tool_choice");
    if (choice != nullptr && tools.empty() && !choice->is_null()) {
        return refusal("Invalid value for 'tool_choice': 'tool_choice' is only allowed when 'tools' are specified.",
                       "tool_choice");
    }
    return std::nullopt;
}

/// What every one of them demands.
verdict check_common(const value& request) {
    if (auto wrong = check_functions(request)) {
        return wrong;
    }
    return check_results(request);
}

bool reasoning_model(std::string_view model) noexcept {
    return model.starts_with("o1") || model.starts_with("o3") || model.starts_with("o4") ||
           model.starts_with("gpt-5") || model.starts_with("gpt-6");
}

verdict check_openai_model(const value& request) {
    const std::string_view model = checks::text(request, "model");
    const auto* stream = checks::member(request, "stream");
    const auto* options = checks::member(request, "stream_options");
    if (options != nullptr && options->is_object() && (stream == nullptr || *stream != true)) {
        return refusal("The 'stream_options' parameter is only allowed when 'stream' is enabled.", "stream_options");
    }
    if (!reasoning_model(model)) {
        return std::nullopt;
    }
    if (const auto* limit = checks::member(request, "max_tokens"); limit != nullptr && !limit->is_null()) {
        return refusal(
            "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' "
            "instead.",
            "max_tokens", "unsupported_parameter");
    }
    const std::string_view effort = checks::text(request, "reasoning_effort");
    const bool newest = model.starts_with("gpt-5.4") || model.starts_with("gpt-5.6") || model.starts_with("gpt-6");
    if (newest && !checks::elements(request, "tools").empty() && !effort.empty() && effort != "none") {
        return refusal("Function tools with reasoning_effort are not supported for " + std::string(model) +
                           " in /v1/chat/completions. Please use /v1/responses instead.",
                       "reasoning_effort");
    }
    return std::nullopt;
}

verdict check_xai_model(const value& request) {
    const std::string_view model = checks::text(request, "model");
    const bool reasons = (model.starts_with("grok-3-mini") || model.starts_with("grok-4")) &&
                         model.find("non-reasoning") == std::string_view::npos;
    for (const auto& [name, words] : {std::pair{"presence_penalty", "presencePenalty"},
                                      std::pair{"frequency_penalty", "frequencyPenalty"}, std::pair{"stop", "stop"}}) {
        const auto* given = checks::member(request, name);
        if (reasons && given != nullptr && !given->is_null()) {
            return refusal("Model " + std::string(model) + " does not support parameter " + words + ".", name);
        }
    }
    if ((model == "grok-4" || model.starts_with("grok-4-0")) && !checks::text(request, "reasoning_effort").empty()) {
        return refusal("Model " + std::string(model) + " does not support parameter reasoningEffort.",
                       "reasoning_effort");
    }
    return std::nullopt;
}

verdict check_minimax_model(const value& request) {
    const std::string_view model = checks::text(request, "model");
    const auto& messages = checks::elements(request, "messages");
    for (std::size_t i = 0; i < messages.size(); ++i) {
        for (const auto& part : checks::elements(messages[i], "content")) {
            if (model.starts_with("MiniMax-M2") && checks::text(part, "type") == "image_url") {
                return refusal("this model does not take images", at("messages", i, ".content"));
            }
        }
    }
    const auto* thinking = checks::member(request, "thinking");
    if (thinking != nullptr && model.starts_with("MiniMax-M2") && checks::text(*thinking, "type") == "disabled") {
        return refusal("thinking cannot be disabled for this model", "thinking");
    }
    return std::nullopt;
}

verdict check_body(std::string_view body, const mock_schema& schema, verdict (*more)(const value&)) {
    const auto request = checks::parsed(body);
    if (!request) {
        return refusal("We could not parse the JSON body of your request.", "");
    }
    if (const auto wrong = schema.check(*request, "Request")) {
        return openai_words(*wrong);
    }
    if (auto wrong = check_common(*request)) {
        return wrong;
    }
    return more == nullptr ? std::nullopt : more(*request);
}

}  // namespace

std::optional<mock_failure> check_openai_chat(std::string_view body) {
    return check_body(body, openai_chat_schema(), check_openai_model);
}

std::optional<mock_failure> check_xai_chat(std::string_view body) {
    return check_body(body, xai_chat_schema(), check_xai_model);
}

std::optional<mock_failure> check_openrouter_chat(std::string_view body) {
    return check_body(body, openrouter_chat_schema(), nullptr);
}

std::optional<mock_failure> check_minimax_chat(std::string_view body) {
    return check_body(body, minimax_chat_schema(), check_minimax_model);
}

std::optional<mock_failure> check_openai_responses(std::string_view body) {
    const auto request = checks::parsed(body);
    if (!request) {
        return refusal("We could not parse the JSON body of your request.", "");
    }
    const auto wrong = openai_responses_schema().check(*request, "Request");
    return wrong ? std::optional(openai_words(*wrong)) : std::nullopt;
}

std::optional<mock_failure> check_openai_embeddings(std::string_view body) {
    const auto request = checks::parsed(body);
    if (!request) {
        return refusal("We could not parse the JSON body of your request.", "");
    }
    const auto wrong = openai_embeddings_schema().check(*request, "Request");
    return wrong ? std::optional(openai_words(*wrong)) : std::nullopt;
}

}  // namespace concurred::bench
