#include "bench/mock_anthropic_talk.hpp"

#include "bench/mock_anthropic_schema.hpp"
#include "bench/mock_check_words.hpp"
#include "bench/mock_words.hpp"

#include <algorithm>
#include <set>
#include <string>
#include <vector>

namespace concurred::bench {
namespace {

using boost::json::value;
using verdict = std::optional<mock_failure>;

mock_failure refusal(std::string message) {
    return {400, std::move(message)};
}

std::string place(std::size_t message) {
    return "messages." + std::to_string(message);
}

std::string place(std::size_t message, std::size_t block) {
    return place(message) + ".content." + std::to_string(block);
}

verdict check_roles(const value& request) {
    const bool late_system = anthropic_model_of(checks::text(request, "model")).late_system;
    const auto& messages = checks::elements(request, "messages");
    if (checks::text(messages.front(), "role") != "user") {
        return refusal("messages: first message must use the \"user\" role");
    }
    for (std::size_t i = 1; i < messages.size(); ++i) {
        const std::string role(checks::text(messages[i], "role"));
        const std::string_view before = checks::text(messages[i - 1], "role");
        if (role == "system") {
            const bool last = i + 1 == messages.size();
            const bool fits = before == "user" && (last || checks::text(messages[i + 1], "role") == "assistant");
            if (!late_system || !fits) {
                return refusal(place(i) + ".role: " +
                               (late_system ? "a system message must follow a user message and precede an assistant's"
                                            : "system messages are not supported by this model"));
            }
        } else if (role == before) {
            return refusal("messages: roles must alternate between \"user\" and \"assistant\", but found multiple \"" +
                           role + "\" roles in a row");
        }
    }
    return std::nullopt;
}

verdict check_text(std::string_view text, const std::string& where) {
    if (text.empty()) {
        return refusal(where + ": text content blocks must be non-empty");
    }
    if (checks::blank(text)) {
        return refusal(where + ": text content blocks must contain non-whitespace text");
    }
    return std::nullopt;
}

verdict check_block(const value& block, const std::string& where) {
    const std::string_view type = checks::text(block, "type");
    if (type == "text") {
        return check_text(checks::text(block, "text"), where);
    }
    if (type == "image" || type == "document") {
        const auto& source = *checks::member(block, "source");
        if (checks::text(source, "type") == "base64" && !checks::base64(checks::text(source, "data"))) {
            return refusal(where + "." + std::string(type) + ".source.base64: invalid base64 data");
        }
    } else if (type == "tool_use" && !checks::plain_name(checks::text(block, "id"), 256)) {
        return refusal(where + ".tool_use.id: String should match pattern '^[a-zA-Z0-9_-]+$'");
    } else if (type == "tool_result" && !checks::plain_name(checks::text(block, "tool_use_id"), 256)) {
        return refusal(where + ".tool_result.tool_use_id: String should match pattern '^[a-zA-Z0-9_-]+$'");
    } else if (type == "thinking" &&
               checks::text(block, "signature") != words::signature(checks::text(block, "thinking"))) {
        return refusal(where + ": Invalid `signature` in `thinking` block");
    }
    return std::nullopt;
}

verdict check_blocks(const value& request) {
    const auto& messages = checks::elements(request, "messages");
    for (std::size_t i = 0; i < messages.size(); ++i) {
        const auto& content = *checks::member(messages[i], "content");
        const bool last_answer = i + 1 == messages.size() && checks::text(messages[i], "role") == "assistant";
        const bool empty = content.is_string() ? content.get_string().empty() : content.get_array().empty();
        if (empty && !last_answer) {
            return refusal(
                place(i) +
                ": all messages must have non-empty content except for the optional final assistant message");
        }
        const auto& blocks = checks::elements(messages[i], "content");
        for (std::size_t k = 0; k < blocks.size(); ++k) {
            if (auto wrong = check_block(blocks[k], place(i, k))) {
                return wrong;
            }
        }
    }
    const auto& system = checks::elements(request, "system");
    for (std::size_t i = 0; i < system.size(); ++i) {
        if (auto wrong = check_block(system[i], "system." + std::to_string(i))) {
            return wrong;
        }
    }
    return std::nullopt;
}

/// The ids of the tool results that a message begins with; results behind other blocks do not count.
std::set<std::string> leading_results(const value& message) {
    std::set<std::string> ids;
    for (const auto& block : checks::elements(message, "content")) {
        if (checks::text(block, "type") != "tool_result") {
            break;
        }
        ids.emplace(checks::text(block, "tool_use_id"));
    }
    return ids;
}

verdict check_tools(const value& request) {
    const auto& messages = checks::elements(request, "messages");
    std::set<std::string> seen;
    std::set<std::string> called;
    for (std::size_t i = 0; i < messages.size(); ++i) {
        const auto& blocks = checks::elements(messages[i], "content");
        for (std::size_t k = 0; k < blocks.size(); ++k) {
            const std::string id(checks::text(blocks[k], "tool_use_id"));
            if (checks::text(blocks[k], "type") == "tool_result" && !called.contains(id)) {
                return refusal(place(i, k) + ": unexpected `tool_use_id` found in `tool_result` blocks: " + id +
                               ". Each `tool_result` block must have a corresponding `tool_use` block in the previous "
                               "message.");
            }
        }
        called.clear();
        for (std::size_t k = 0; k < blocks.size(); ++k) {
            if (checks::text(blocks[k], "type") == "tool_use") {
                called.emplace(checks::text(blocks[k], "id"));
                if (!seen.emplace(checks::text(blocks[k], "id")).second) {
                    return refusal(place(i, k) + ": `tool_use` ids must be unique");
                }
            }
        }
        const auto results = i + 1 < messages.size() ? leading_results(messages[i + 1]) : std::set<std::string>{};
        std::string unanswered;
        for (const auto& id : called) {
            unanswered.append(results.contains(id) ? "" : (unanswered.empty() ? "" : ", ") + id);
        }
        if (!unanswered.empty()) {
            return refusal(
                place(i) + ": `tool_use` ids were found without `tool_result` blocks immediately after: " + unanswered +
                ". Each `tool_use` block must have a corresponding `tool_result` block in the next message.");
        }
    }
    return std::nullopt;
}

/// The end of an answer that the request begins.
verdict check_prefill(const value& request) {
    const auto& last = checks::elements(request, "messages").back();
    if (checks::text(last, "role") != "assistant") {
        return std::nullopt;
    }
    if (!anthropic_model_of(checks::text(request, "model")).prefill) {
        return refusal(
            "This model does not support assistant message prefill. The conversation must end with a user message.");
    }
    const auto& blocks = checks::elements(last, "content");
    const std::string_view text = blocks.empty() ? checks::text(last, "content") : checks::text(blocks.back(), "text");
    if (!text.empty() && checks::blank(text.substr(text.size() - 1))) {
        return refusal("messages: final assistant content cannot end with trailing whitespace");
    }
    return std::nullopt;
}

/// With a thinking budget the answer whose tools were called comes back with its thinking in front.
verdict check_thinking_kept(const value& request) {
    const auto* thinking = checks::member(request, "thinking");
    const auto& messages = checks::elements(request, "messages");
    if (thinking == nullptr || checks::text(*thinking, "type") != "enabled" || messages.size() < 2 ||
        leading_results(messages.back()).empty()) {
        return std::nullopt;
    }
    const std::size_t answer = messages.size() - 2;
    const auto& blocks = checks::elements(messages[answer], "content");
    const std::string type(checks::text(blocks.front(), "type"));
    if (type == "thinking" || type == "redacted_thinking") {
        return std::nullopt;
    }
    return refusal(place(answer, 0) + ".type: Expected `thinking` or `redacted_thinking`, but found `" + type +
                   "`. When `thinking` is enabled, a final `assistant` message must start with a thinking block "
                   "(preceeding the lastmost set of `tool_use` and `tool_result` blocks).");
}

}  // namespace

std::optional<mock_failure> check_anthropic_talk(const value& request) {
    for (const auto rule : {check_roles, check_blocks, check_tools, check_prefill, check_thinking_kept}) {
        if (auto wrong = rule(request)) {
            return wrong;
        }
    }
    return std::nullopt;
}

}  // namespace concurred::bench
