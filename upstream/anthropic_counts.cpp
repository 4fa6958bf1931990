#include "upstream/anthropic_counts.hpp"

#include "upstream/json_parts.hpp"

#include <algorithm>

namespace concurred::upstream {

namespace {

void set(std::uint64_t& count, json_part value) {
    if (value.is_number()) {
        count = value.count();
    }
}

}  // namespace

void anthropic_counts::take(std::string_view usage) {
    json_part input;
    json_part read;
    json_part write;
    json_part creation;
    json_part output;
    json_part details;
    read_members(usage, {{"input_tokens", &input},
                         {"cache_read_input_tokens", &read},
                         {"cache_creation_input_tokens", &write},
                         {"cache_creation", &creation},
                         {"output_tokens", &output},
                         {"output_tokens_details", &details}});
    set(input_, input);
    set(cache_read_, read);
    set(cache_write_, write);
    if (creation.is_object()) {
        set(cache_write_long_, member_of(creation.raw, "ephemeral_1h_input_tokens"));
    }
    set(output_, output);
    if (details.is_object()) {
        set(thinking_, member_of(details.raw, "thinking_tokens"));
    }
}

base::token_counts anthropic_counts::counts() const noexcept {
    const std::uint64_t thinking = std::min(thinking_, output_);
    return {.prompt = input_,
            .cache_read = cache_read_,
            .cache_write = cache_write_,
            .completion = output_ - thinking,
            .reasoning = thinking};
}

std::string_view finish_reason_of(std::string_view stop_reason) noexcept {
    if (stop_reason == R"("tool_use")") {
        return "tool_calls";
    }
    if (stop_reason == R"("max_tokens")" || stop_reason == R"("model_context_window_exceeded")") {
        return "length";
    }
    return stop_reason == R"("refusal")" ? "content_filter" : "stop";
}

}  // namespace concurred::upstream
