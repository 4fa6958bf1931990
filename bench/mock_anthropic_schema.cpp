#include "bench/mock_anthropic_schema.hpp"

#include <algorithm>
#include <array>

namespace concurred::bench {
namespace {

constexpr std::string_view text = R"(
    Cache = { type: "ephemeral", ttl?: "5m" | "1h" }
    Citation = { type: string, ... }
    Text = { type: "text", text: string, cache_control?: Cache | null, citations?: [Citation] | null }
    ImageSource = { type: "base64", media_type: "image/jpeg" | "image/png" | "image/gif" | "image/webp",
                    data: string(1..) }
                | { type: "url", url: string(1..) } | { type: "file", file_id: string(1..) }
    Image = { type: "image", source: ImageSource, cache_control?: Cache | null }
    DocumentSource = { type: "base64", media_type: "application/pdf", data: string(1..) }
                   | { type: "text", media_type: "text/plain", data: string }
                   | { type: "url", url: string(1..) } | { type: "file", file_id: string(1..) }
                   | { type: "content", content: string | [Text | Image] }
    Document = { type: "document", source: DocumentSource, title?: string | null, context?: string | null,
                 citations?: { enabled?: boolean } | null, cache_control?: Cache | null }
    SearchResult = { type: "search_result", source: string, title: string, content: [Text], cache_control?: Cache | null,
                     citations?: { enabled?: boolean } }
    ToolResult = { type: "tool_result", tool_use_id: string(1..),
                   content?: string | [Text | Image | Document | SearchResult], is_error?: boolean,
                   cache_control?: Cache | null }
    UserBlock = Text | Image | Document | SearchResult | ToolResult
    ToolUse = { type: "tool_use", id: string(1..), name: string(1..200), input: object, cache_control?: Cache | null,
                caller?: object }
    Thinking = { type: "thinking", thinking: string, signature: string }
    Redacted = { type: "redacted_thinking", data: string }
    ServerUse = { type: "server_tool_use", id: string(1..), name: string, input: object, cache_control?: Cache | null }
    ServerResult = { type: "web_search_tool_result" | "web_fetch_tool_result" | "code_execution_tool_result"
                         | "bash_code_execution_tool_result" | "text_editor_code_execution_tool_result",
                     tool_use_id: string(1..), content: any, cache_control?: Cache | null }
    AssistantBlock = Text | ToolUse | Thinking | Redacted | ServerUse | ServerResult
    Message = { role: "user", content: string | [UserBlock] }
            | { role: "assistant", content: string | [AssistantBlock] }
            | { role: "system", content: string | [Text] }
    Tool = { type?: "custom" | null, name: string(1..128), description?: string,
             input_schema: { type: "object", ... }, cache_control?: Cache | null, strict?: boolean,
             eager_input_streaming?: boolean | null, defer_loading?: boolean, allowed_callers?: [string],
             input_examples?: [object] }
    Place = { type: "approximate", city?: string | null, region?: string | null, country?: string | null,
              timezone?: string | null }
    WebSearch = { type: "web_search_20250305" | "web_search_20260209" | "web_search_20260318", name: "web_search",
                  max_uses?: integer(1..) | null, allowed_domains?: [string] | null, blocked_domains?: [string] | null,
                  user_location?: Place | null, cache_control?: Cache | null }
    ServerTool = { type: "bash_20250124" | "text_editor_20250728" | "code_execution_20250825" | "web_fetch_20250910"
                       | "memory_20250818" | "computer_20250124", name: string, ... }
    ToolChoice = { type: "auto", disable_parallel_tool_use?: boolean }
               | { type: "any", disable_parallel_tool_use?: boolean }
               | { type: "tool", name: string(1..), disable_parallel_tool_use?: boolean }
               | { type: "none" }
    Display = null | "summarized" | "omitted"
    Think = { type: "enabled", budget_tokens: integer(1024..), display?: Display }
          | { type: "adaptive", display?: Display } | { type: "between_tools", display?: Display }
          | { type: "disabled" }
    Format = { type: "json_schema", schema: object }
    Output = { effort?: null | "low" | "medium" | "high" | "xhigh" | "max", format?: Format | null }
    Request = {
        model: string(1..256), messages: [Message](1..), max_tokens: integer(1..),
        system?: string | [Text], tools?: [Tool | WebSearch | ServerTool], tool_choice?: ToolChoice,
        temperature?: number(0..1), top_p?: number(0..1), top_k?: integer(0..), stop_sequences?: [string(1..)],
        thinking?: Think, output_config?: Output, stream?: boolean, metadata?: { user_id?: string(0..256) | null },
        service_tier?: "auto" | "standard_only", container?: string | object | null, inference_geo?: string | null,
        cache_control?: Cache | null
    }
)";

using model = anthropic_model;
using sampling = anthropic_model::sampling;

// The longest prefix that fits comes first.
constexpr std::array models{
    model{"claude-fable-5-1", 128'000, sampling::refused, false, true, false, false, false},
    model{"claude-opus-5-5", 128'000, sampling::refused, false, true, false, false, false},
    model{"claude-sonnet-5-5", 128'000, sampling::refused, false, true, false, false, false},
    model{"claude-haiku-5-5", 128'000, sampling::refused, false, true, true, true, false},
    model{"claude-opus-5", 128'000, sampling::refused, true, true, true, true, false},
    model{"claude-fable-5", 128'000, sampling::free, false, true, false, true, false},
    model{"claude-sonnet-5", 128'000, sampling::refused, false, true, true, true, false},
    model{"claude-opus-4-8", 128'000, sampling::refused, false, true, true, true, false},
    model{"claude-opus-4-7", 128'000, sampling::refused, false, true, true, true, false, false},
    model{"claude-opus-4-6", 128'000, sampling::free, true, true, true, true, false, false},
    model{"claude-sonnet-4-6", 128'000, sampling::free, true, true, true, true, false, false},
    model{"claude-opus-4-5", 64'000, sampling::one, true, false, true, true, true, false},
    model{"claude-sonnet-4-5", 64'000, sampling::one, true, false, true, true, true, false},
    model{"claude-haiku-4-5", 64'000, sampling::one, true, false, true, true, true, false},
    model{"claude-opus-4-1", 32'000, sampling::one, true, false, true, true, true, false},
    model{"claude-opus-4", 32'000, sampling::one, true, false, true, true, true, false, false},
    model{"claude-sonnet-4", 64'000, sampling::one, true, false, true, true, true, false, false},
    model{"claude-3-7", 64'000, sampling::free, true, false, true, true, true, false, false},
    model{"claude-3-haiku", 4'096, sampling::free, false, false, true, true, true, false, false},
    model{"claude-3", 8'192, sampling::free, false, false, true, true, true, false, false},
};

}  // namespace

const mock_schema& anthropic_schema() {
    static const mock_schema schema(text);
    return schema;
}

const anthropic_model& anthropic_model_of(std::string_view name) noexcept {
    static constexpr anthropic_model unknown;
    const auto* row = std::ranges::find_if(models, [&](const model& one) { return name.starts_with(one.prefix); });
    return row == models.end() ? unknown : *row;
}

}  // namespace concurred::bench
