#pragma once

#include "upstream/json_parts.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace concurred::upstream {

/// The fields of a chat completion that mean something to Gemini, as they stand in the body.
struct gemini_fields {
    json_part messages;
    json_part tools;
    json_part tool_choice;
    json_part max_tokens;
    json_part max_completion_tokens;
    json_part temperature;
    json_part top_p;
    json_part top_k;
    json_part n;
    json_part stop;
    json_part seed;
    json_part presence_penalty;
    json_part frequency_penalty;
    json_part logprobs;
    json_part top_logprobs;
    json_part response_format;
    json_part reasoning_effort;
    json_part modalities;
    json_part web_search_options;
    json_part service_tier;
    json_part safety_settings;
    json_part extra_body;
    json_part functions;
    json_part parallel_tool_calls;
    std::vector<std::string> dropped;  ///< names of all others but the gateway's own
};

[[nodiscard]] gemini_fields read_gemini_fields(std::string_view body);

/// Notes a field that is left out, if its name is fit for a header.
void note_dropped(std::vector<std::string>& dropped, std::string_view name);

}  // namespace concurred::upstream
