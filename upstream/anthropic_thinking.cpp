#include "upstream/anthropic_thinking.hpp"

#include "upstream/field_refusal.hpp"
#include "upstream/json_writer.hpp"

#include <algorithm>

namespace concurred::upstream {

namespace {

using base::result;

constexpr std::uint64_t least_budget = 1'024;

struct effort_level {
    std::string_view name;
    std::string_view adaptive;  ///< of output_config
    std::uint64_t budget;       ///< where thoughts are measured in tokens
};

constexpr effort_level levels[] = {
    {"minimal", "low", least_budget}, {"low", "low", 2'048},      {"medium", "medium", 8'192},
    {"high", "high", 16'384},         {"xhigh", "xhigh", 32'768}, {"max", "max", 32'768},
};

result<std::uint64_t> token_limit(const anthropic_fields& fields, std::uint64_t ceiling) {
    const bool newer = static_cast<bool>(fields.max_completion_tokens);
    const json_part limit = newer ? fields.max_completion_tokens : fields.max_tokens;
    if (!limit) {
        return ceiling;
    }
    const auto value = limit.integer();
    if (!value || *value < 1) {
        return refuse_field(newer ? "max_completion_tokens" : "max_tokens", "must be a positive integer.");
    }
    return std::min(static_cast<std::uint64_t>(*value), ceiling);
}

// The client's limit is for the answer, Anthropic's is for thoughts and answer together.
void add_budget(anthropic_thinking& t, std::uint64_t budget, std::uint64_t ceiling) {
    if (ceiling < 2 * least_budget) {
        return;
    }
    if (t.max_tokens == ceiling) {
        budget = std::min(budget, ceiling / 2);
    } else {
        const std::uint64_t room = ceiling - t.max_tokens;
        budget = std::max(least_budget, std::min(budget, room));
        t.max_tokens = std::min(ceiling, t.max_tokens + budget);
    }
    json_writer w(t.thinking);
    w.open('{').text_member("type", "enabled").number_member("budget_tokens", budget).close('}');
    t.thinks = true;
}

void think_not(anthropic_thinking& t, const anthropic_model& model) {
    if (model.between_tools) {
        t.thinking = R"({"type":"between_tools"})";
    } else if (model.disabled && (model.adaptive || model.budget)) {
        t.thinking = model.adaptive ? R"({"type":"disabled"})" : "";
    } else if (model.adaptive) {
        t.effort = "low";
    }
}

result<void> take_own(anthropic_thinking& t, json_part thinking, std::uint64_t ceiling) {
    json_part type;
    json_part budget;
    if (!read_members(thinking.raw, {{"type", &type}, {"budget_tokens", &budget}}) || !type.is_string()) {
        return refuse_field("thinking", "must be an object of Anthropic's form, e.g. {\"type\":\"adaptive\"}.");
    }
    t.thinking = thinking.raw;
    t.thinks = t.thinks || !(type.equals("disabled") || type.equals("between_tools"));
    if (budget && budget.count() >= t.max_tokens) {
        t.max_tokens = std::min(ceiling, t.max_tokens + budget.count());
        if (budget.count() >= t.max_tokens) {
            return refuse_field("thinking.budget_tokens",
                                "must be below the model's limit of " + std::to_string(ceiling) + " tokens.");
        }
    }
    return {};
}

}  // namespace

result<anthropic_thinking> anthropic_thinking_of(const anthropic_fields& fields, const anthropic_model& model,
                                                 std::uint64_t ceiling) {
    anthropic_thinking t;
    t.thinks = model.always_thinks;
    const result<std::uint64_t> limit = token_limit(fields, ceiling);
    if (!limit) {
        return limit.error();
    }
    t.max_tokens = *limit;
    if (fields.thinking) {
        if (const auto ok = take_own(t, fields.thinking, ceiling); !ok) {
            return ok.error();
        }
        return t;
    }
    if (!fields.reasoning_effort) {
        return t;
    }
    if (fields.reasoning_effort.equals("none")) {
        think_not(t, model);
        return t;
    }
    const auto* const level = std::find_if(std::begin(levels), std::end(levels), [&](const effort_level& l) {
        return fields.reasoning_effort.equals(l.name);
    });
    if (level == std::end(levels)) {
        return refuse_field("reasoning_effort", "must be none, minimal, low, medium, high, xhigh or max.");
    }
    if (model.adaptive) {
        t.thinking = R"({"type":"adaptive","display":"summarized"})";
        t.effort = level->adaptive;
        t.thinks = true;
    } else if (model.budget) {
        add_budget(t, level->budget, ceiling);
    }
    return t;
}

}  // namespace concurred::upstream
