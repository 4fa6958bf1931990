#pragma once

#include "upstream/json_parts.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace concurred::upstream {

/// The fields of a chat completion that mean something to Anthropic, and the names of the others.
struct anthropic_fields {
    json_part messages;
    json_part max_tokens;
    json_part max_completion_tokens;
    json_part temperature;
    json_part top_p;
    json_part top_k;
    json_part stop;
    json_part tools;
    json_part tool_choice;
    json_part parallel_tool_calls;
    json_part response_format;
    json_part reasoning_effort;
    json_part thinking;
    json_part user;
    json_part safety_identifier;
    json_part service_tier;
    json_part n;
    json_part logprobs;
    json_part top_logprobs;
    json_part modalities;
    json_part audio;
    json_part web_search_options;
    json_part functions;
    json_part function_call;
    json_part cache_control;

    std::vector<std::string> dropped;  ///< fields that ask for something and are not sent
};

/// Sorts the members of a chat completion; of a field given twice the last counts.
/// @param body valid JSON, an object; outlives the result
[[nodiscard]] anthropic_fields read_anthropic_fields(std::string_view body);

}  // namespace concurred::upstream
