#include "upstream/google_fields.hpp"

#include "gateway/http/json_string.hpp"

#include <algorithm>
#include <array>

namespace concurred::upstream {

namespace {

struct row {
    std::string_view name;
    json_part gemini_fields::*into = nullptr;  // null: the gateway's own, or said in another way
};

constexpr std::array rows{
    row{"messages", &gemini_fields::messages},
    row{"tools", &gemini_fields::tools},
    row{"tool_choice", &gemini_fields::tool_choice},
    row{"max_tokens", &gemini_fields::max_tokens},
    row{"max_completion_tokens", &gemini_fields::max_completion_tokens},
    row{"temperature", &gemini_fields::temperature},
    row{"top_p", &gemini_fields::top_p},
    row{"top_k", &gemini_fields::top_k},
    row{"n", &gemini_fields::n},
    row{"stop", &gemini_fields::stop},
    row{"seed", &gemini_fields::seed},
    row{"presence_penalty", &gemini_fields::presence_penalty},
    row{"frequency_penalty", &gemini_fields::frequency_penalty},
    row{"logprobs", &gemini_fields::logprobs},
    row{"top_logprobs", &gemini_fields::top_logprobs},
    row{"response_format", &gemini_fields::response_format},
    row{"reasoning_effort", &gemini_fields::reasoning_effort},
    row{"modalities", &gemini_fields::modalities},
    row{"web_search_options", &gemini_fields::web_search_options},
    row{"service_tier", &gemini_fields::service_tier},
    row{"safety_settings", &gemini_fields::safety_settings},
    row{"extra_body", &gemini_fields::extra_body},
    row{"functions", &gemini_fields::functions},
    row{"parallel_tool_calls", &gemini_fields::parallel_tool_calls},
    row{"model"},
    row{"stream"},
    row{"stream_options"},
    row{"fallback"},
    row{"retries"},
    row{"timeout"},
    row{"load_balance"},
    row{"guardrails"},
    row{"prompt_id"},
    row{"prompt_version"},
    row{"prompt_variables"},
};

}  // namespace

void note_dropped(std::vector<std::string>& dropped, std::string_view name) {
    constexpr std::size_t most_names = 32;
    constexpr std::size_t longest = 64;
    const auto plain = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
               c == '.';
    };
    if (!name.empty() && name.size() <= longest && dropped.size() < most_names &&
        std::all_of(name.begin(), name.end(), plain)) {
        dropped.emplace_back(name);
    }
}

gemini_fields read_gemini_fields(std::string_view body) {
    gemini_fields fields;
    http::json_reader members(body);
    while (const http::json_member* m = members.next()) {
        const auto found = std::find_if(rows.begin(), rows.end(), [m](const row& r) { return is_named(*m, r.name); });
        if (found == rows.end()) {
            if (m->kind != http::json_kind::null) {
                note_dropped(fields.dropped, http::json_unescape(m->key).value_or(std::string()));
            }
        } else if (found->into != nullptr) {
            fields.*(found->into) = json_part(*m);
        }
    }
    return fields;
}

}  // namespace concurred::upstream
