#include "bench/mock_gemini_talk.hpp"

#include "bench/mock_check_words.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

namespace concurred::bench {
namespace {

using boost::json::value;
using verdict = std::optional<mock_failure>;

mock_failure refusal(std::string message, std::string param = {}) {
    return {400, std::move(message), {}, std::move(param)};
}

std::string place(std::size_t content, std::size_t part) {
    return "contents[" + std::to_string(content) + "].parts[" + std::to_string(part) + "]";
}

verdict check_part(const value& part, const std::string& where) {
    constexpr std::array<std::string_view, 7> kinds{
        "text", "inlineData", "fileData", "functionCall", "functionResponse", "executableCode", "codeExecutionResult"};
    const auto given =
        std::ranges::count_if(kinds, [&](std::string_view kind) { return checks::member(part, kind) != nullptr; });
    if (given == 0) {
        return refusal(
            "* GenerateContentRequest." + where + ".data: required oneof field 'data' must have one initialized field",
            where + ".data");
    }
    if (given > 1) {
        return refusal("Invalid value at '" + where + "' (oneof), oneof field 'data' is already set.", where);
    }
    const auto* blob = checks::member(part, "inlineData");
    if (blob != nullptr && !checks::base64(checks::text(*blob, "data"))) {
        return refusal("Invalid value at '" + where + ".inline_data.data' (TYPE_BYTES), Base64 decoding failed",
                       where + ".inline_data.data");
    }
    return std::nullopt;
}

/// The functions that a content calls or answers, in order. \param kind `functionCall` or `functionResponse`
std::vector<std::string> functions(const value& content, std::string_view kind) {
    std::vector<std::string> names;
    for (const auto& part : checks::elements(content, "parts")) {
        if (const auto* one = checks::member(part, kind)) {
            names.emplace_back(checks::text(*one, "name"));
        }
    }
    return names;
}

verdict check_parts(const value& request) {
    const auto& contents = checks::elements(request, "contents");
    for (std::size_t i = 0; i < contents.size(); ++i) {
        const auto& parts = checks::elements(contents[i], "parts");
        for (std::size_t k = 0; k < parts.size(); ++k) {
            if (auto wrong = check_part(parts[k], place(i, k))) {
                return wrong;
            }
        }
    }
    const bool several = contents.size() > 1;
    const bool nameless =
        std::ranges::any_of(contents, [](const value& content) { return checks::text(content, "role").empty(); });
    if (several && nameless) {
        return refusal("Please use a valid role: user, model.", "contents");
    }
    return std::nullopt;
}

verdict check_calls(const value& request) {
    const auto& contents = checks::elements(request, "contents");
    for (std::size_t i = 0; i < contents.size(); ++i) {
        const auto calls = functions(contents[i], "functionCall");
        const auto responses = functions(contents[i], "functionResponse");
        const bool by_model = checks::text(contents[i], "role") == "model";
        if (!calls.empty() && (i == 0 || !by_model || checks::text(contents[i - 1], "role") == "model")) {
            return refusal(
                "Please ensure that function call turn comes immediately after a user turn or after a function "
                "response turn.");
        }
        if (responses.empty()) {
            continue;
        }
        auto expected = i == 0 ? std::vector<std::string>{} : functions(contents[i - 1], "functionCall");
        if (expected.empty()) {
            return refusal("Please ensure that function response turn comes immediately after a function call turn.");
        }
        if (expected.size() != responses.size()) {
            return refusal(
                "Please ensure that the number of function response parts is equal to the number of function call "
                "parts of the function call turn.");
        }
        if (expected != responses) {
            return refusal(
                "Please ensure that the function response parts have the names and the order of the "
                "function call parts of the function call turn.");
        }
    }
    return std::nullopt;
}

/// Whether a content begins a turn: something that a user says, not a function's response.
bool begins_turn(const value& content) {
    return checks::text(content, "role") != "model" && functions(content, "functionResponse").empty();
}

/// The first call of each step of the turn under way carries the signature that came with it.
verdict check_signatures(const value& request, std::string_view model) {
    if (!model.starts_with("gemini-3") && !model.starts_with("gemini-4")) {
        return std::nullopt;
    }
    const auto& contents = checks::elements(request, "contents");
    std::size_t begin = contents.size();
    while (begin > 0 && !begins_turn(contents[begin - 1])) {
        --begin;
    }
    for (std::size_t i = begin; i < contents.size(); ++i) {
        const auto& parts = checks::elements(contents[i], "parts");
        const auto* call = std::ranges::find_if(
            parts, [](const value& part) { return checks::member(part, "functionCall") != nullptr; });
        if (call == parts.end()) {
            continue;
        }
        const std::string_view signature = checks::text(*call, "thoughtSignature");
        if (signature.empty()) {
            return refusal(
                "Function call is missing a thought_signature in functionCall parts. This is required for "
                "tools to work correctly, and missing thought_signature may lead to degraded model "
                "performance. Additional data, function call `default_api:" +
                std::string(checks::text(*checks::member(*call, "functionCall"), "name")) + "` , position " +
                std::to_string(i) + ".");
        }
        if (signature != "skip_thought_signature_validator" && !signature.starts_with("MockSignature")) {
            return refusal("Corrupted thought signature.");
        }
    }
    return std::nullopt;
}

}  // namespace

std::optional<mock_failure> check_gemini_talk(const value& request, std::string_view model) {
    if (auto wrong = check_parts(request)) {
        return wrong;
    }
    if (auto wrong = check_calls(request)) {
        return wrong;
    }
    return check_signatures(request, model);
}

}  // namespace concurred::bench
