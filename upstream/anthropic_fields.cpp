#include "upstream/anthropic_fields.hpp"

#include "gateway/http/json_string.hpp"

#include <algorithm>

namespace concurred::upstream {

namespace {

struct field_place {
    std::string_view name;
    json_part anthropic_fields::*place;
};

constexpr field_place places[] = {
    {"messages", &anthropic_fields::messages},
    {"max_tokens", &anthropic_fields::max_tokens},
    {"max_completion_tokens", &anthropic_fields::max_completion_tokens},
    {"temperature", &anthropic_fields::temperature},
    {"top_p", &anthropic_fields::top_p},
    {"top_k", &anthropic_fields::top_k},
    {"stop", &anthropic_fields::stop},
    {"tools", &anthropic_fields::tools},
    {"tool_choice", &anthropic_fields::tool_choice},
    {"parallel_tool_calls", &anthropic_fields::parallel_tool_calls},
    {"response_format", &anthropic_fields::response_format},
    {"reasoning_effort", &anthropic_fields::reasoning_effort},
    {"thinking", &anthropic_fields::thinking},
    {"user", &anthropic_fields::user},
    {"safety_identifier", &anthropic_fields::safety_identifier},
    {"service_tier", &anthropic_fields::service_tier},
    {"n", &anthropic_fields::n},
    {"logprobs", &anthropic_fields::logprobs},
    {"top_logprobs", &anthropic_fields::top_logprobs},
    {"modalities", &anthropic_fields::modalities},
    {"audio", &anthropic_fields::audio},
    {"web_search_options", &anthropic_fields::web_search_options},
    {"functions", &anthropic_fields::functions},
    {"function_call", &anthropic_fields::function_call},
    {"cache_control", &anthropic_fields::cache_control},
};

// What the gateway acts on itself, or says in another way.
constexpr std::string_view own_fields[] = {
    "model",        "stream",     "stream_options", "fallback",       "retries",          "timeout",
    "load_balance", "guardrails", "prompt_id",      "prompt_version", "prompt_variables",
};

// A value that asks for nothing but what happens anyway.
bool asks_nothing(json_part value) {
    return !value || value.is_false() || value.raw == "0" || value.raw == "0.0" || value.raw == "[]" ||
           value.raw == "{}" || value.is_empty_string();
}

}  // namespace

anthropic_fields read_anthropic_fields(std::string_view body) {
    anthropic_fields fields;
    http::json_reader members(body);
    while (const http::json_member* m = members.next()) {
        const auto named = [&](std::string_view name) { return is_named(*m, name); };
        const auto* const known =
            std::find_if(std::begin(places), std::end(places), [&](const field_place& p) { return named(p.name); });
        if (known != std::end(places)) {
            fields.*(known->place) = json_part(*m);
            continue;
        }
        if (!std::any_of(std::begin(own_fields), std::end(own_fields), named) && !asks_nothing(json_part(*m)) &&
            http::is_plain_json_text(m->key)) {
            fields.dropped.emplace_back(m->key);
        }
    }
    return fields;
}

}  // namespace concurred::upstream
