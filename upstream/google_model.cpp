#include "upstream/google_model.hpp"

#include <algorithm>

namespace concurred::upstream {

namespace {

// Without a limit Gemini 2.5 thinks up to about 8,192 tokens: only below twice that does its thinking need a cap.
constexpr std::uint64_t ample_tokens = 16'384;

std::uint64_t budget_for(std::string_view effort, const gemini_model& model) noexcept {
    // Google's own OpenAI layer: 1,024, 8,192, 24,576.
    if (effort == "none") {
        return 0;
    }
    if (effort == "minimal" || effort == "low") {
        return 1'024;
    }
    if (effort == "medium") {
        return 8'192;
    }
    return effort == "high" ? 24'576 : model.most_budget;
}

std::string budget_config(const gemini_model& model, std::string_view effort, std::uint64_t max_tokens) {
    const bool capped = max_tokens != 0 && max_tokens < ample_tokens;
    if (effort.empty() && (!capped || !model.thinks_by_default)) {
        return {};
    }
    std::uint64_t budget = effort.empty() ? model.most_budget : budget_for(effort, model);
    if (max_tokens != 0) {
        budget = std::min(budget, max_tokens / 2);
    }
    budget = std::min<std::uint64_t>(budget, model.most_budget);
    if (budget < model.least_budget || budget == 0) {
        budget = model.can_stop_thinking ? 0 : model.least_budget;
    }
    const bool shown = !effort.empty() && budget != 0;
    return "{\"thinkingBudget\":" + std::to_string(budget) + (shown ? ",\"includeThoughts\":true}" : "}");
}

std::string_view level_for(const gemini_model& model, std::string_view effort) noexcept {
    if (effort == "none" || effort == "minimal") {
        return model.minimal_level ? "MINIMAL" : "LOW";
    }
    if (effort == "low") {
        return "LOW";
    }
    if (effort == "medium") {
        return model.medium_level ? "MEDIUM" : "HIGH";
    }
    return effort != "high" && model.extra_high_level ? "XHIGH" : "HIGH";
}

}  // namespace

gemini_model gemini_model_of(std::string_view id) noexcept {
    if (id.starts_with("models/")) {
        id.remove_prefix(7);
    }
    const bool lite = id.find("-lite") != std::string_view::npos;
    const bool pro = id.find("-pro") != std::string_view::npos;
    const bool image = id.find("-image") != std::string_view::npos;
    gemini_model m;
    if (id.starts_with("gemma-")) {
        m.thinking = gemini_thinking::none;
        m.system_instruction = m.json_with_tools = m.validated_calls = m.signed_calls = false;
    } else if (id.starts_with("gemini-1") || id.starts_with("gemini-2.0")) {
        m.thinking = gemini_thinking::none;
        m.penalties = true;
        m.json_with_tools = m.validated_calls = m.signed_calls = false;
    } else if (id.starts_with("gemini-2.5")) {
        m.thinking = image ? gemini_thinking::none : gemini_thinking::budget;
        m.json_with_tools = m.signed_calls = false;
        m.can_stop_thinking = !pro;
        m.thinks_by_default = !lite;
        m.least_budget = pro ? 128 : lite ? 512 : 1;
        m.most_budget = pro ? 32'768 : 24'576;
    } else if (id.starts_with("gemini-4")) {
        m.extra_high_level = id.find("hydrogen") != std::string_view::npos;
    } else if (id.starts_with("gemini-3")) {
        m.minimal_level = !pro;
        m.medium_level = !id.starts_with("gemini-3-pro");
    }
    return m;
}

std::string gemini_thinking_config(const gemini_model& model, std::string_view effort, std::uint64_t max_tokens) {
    switch (model.thinking) {
        case gemini_thinking::none:
            return {};
        case gemini_thinking::budget:
            return budget_config(model, effort, max_tokens);
        case gemini_thinking::level:
            break;
    }
    if (effort.empty()) {
        return {};
    }
    std::string out = "{\"thinkingLevel\":\"";
    out.append(level_for(model, effort)).append("\"");
    out += effort == "none" ? "}" : ",\"includeThoughts\":true}";
    return out;
}

}  // namespace concurred::upstream
