#include "bench/mock_openai_schema.hpp"

#include <string>
#include <string_view>

namespace concurred::bench {
namespace {

// Shared by all who speak Chat Completions.
constexpr std::string_view tools = R"(
    Function = { name: string(1..64), description?: string, parameters?: object, strict?: boolean | null }
    Tool = { type: "function", function: Function }
    Call = { id: string(1..), type: "function",
             function: { name: string, arguments: string, parsed_arguments?: any }, ... }
    NamedTool = { type: "function", function: { name: string(1..) } }
    ToolChoice = "none" | "auto" | "required" | NamedTool
    Text = { type: "text", text: string }
)";

// `parsed` and `parsed_arguments` are left in an answer by the SDK's own helpers, and are taken back.
constexpr std::string_view openai = R"(
    Breakpoint = { mode: "explicit" }
    TextPart = { type: "text", text: string, prompt_cache_breakpoint?: Breakpoint }
    ImagePart = { type: "image_url", image_url: { url: string(1..), detail?: "auto" | "low" | "high" },
                  prompt_cache_breakpoint?: Breakpoint }
    AudioPart = { type: "input_audio", input_audio: { data: string(1..), format: "wav" | "mp3" },
                  prompt_cache_breakpoint?: Breakpoint }
    FilePart = { type: "file", file: { file_data?: string, file_id?: string, filename?: string },
                 prompt_cache_breakpoint?: Breakpoint }
    RefusalPart = { type: "refusal", refusal: string }
    TextContent = string | [TextPart](1..)
    UserPart = TextPart | ImagePart | AudioPart | FilePart
    System = { role: "system" | "developer", content: TextContent, name?: string }
    User = { role: "user", content: string | [UserPart](1..), name?: string }
    CustomCall = { id: string(1..), type: "custom", custom: { name: string, input: string } }
    Assistant = { role: "assistant", content?: null | string | [TextPart | RefusalPart](1..), refusal?: string | null,
                  audio?: null | { id: string, ... }, tool_calls?: [Call | CustomCall](1..),
                  function_call?: null | { name: string, arguments: string }, name?: string, annotations?: [any] | null,
                  parsed?: any }
    ToolResult = { role: "tool", tool_call_id: string(1..), content: TextContent }
    FunctionResult = { role: "function", name: string, content: string | null }
    Message = System | User | Assistant | ToolResult | FunctionResult
    CustomFormat = { type: "text" } | { type: "grammar", grammar: { definition: string, syntax: "lark" | "regex" } }
    CustomTool = { type: "custom", custom: { name: string(1..64), description?: string, format?: CustomFormat } }
    AnyTool = Tool | CustomTool
    NamedCustom = { type: "custom", custom: { name: string(1..) } }
    Allowed = { type: "allowed_tools", allowed_tools: { mode: "auto" | "required", tools: [object](1..) } }
    Format = { type: "text" } | { type: "json_object" } | {
        type: "json_schema",
        json_schema: { name: string(1..64), description?: string, schema?: object, strict?: boolean | null } }
    StreamOptions = { include_usage?: boolean, include_obfuscation?: boolean }
    Place = { city?: string | null, country?: string | null, region?: string | null, timezone?: string | null }
    Search = { search_context_size?: "low" | "medium" | "high",
               user_location?: null | { type: "approximate", approximate: Place } }
    Request = {
        model: string(1..), messages: [Message](1..),
        max_completion_tokens?: integer(1..) | null, max_tokens?: integer(1..) | null,
        temperature?: number(0..2) | null, top_p?: number(0..1) | null,
        frequency_penalty?: number(-2..2) | null, presence_penalty?: number(-2..2) | null,
        stop?: null | string | [string](1..4), n?: integer(1..128) | null, seed?: integer | null,
        logprobs?: boolean | null, top_logprobs?: integer(0..20) | null, logit_bias?: null | { *: number(-100..100) },
        tools?: [AnyTool](1..128), tool_choice?: ToolChoice | NamedCustom | Allowed, parallel_tool_calls?: boolean,
        functions?: [Function](1..128), function_call?: "none" | "auto" | { name: string },
        response_format?: Format,
        reasoning_effort?: null | "none" | "minimal" | "low" | "medium" | "high" | "xhigh" | "max",
        verbosity?: null | "low" | "medium" | "high",
        stream?: boolean | null, stream_options?: StreamOptions | null,
        service_tier?: null | "auto" | "default" | "flex" | "scale" | "priority" | "fast",
        prediction?: null | { type: "content", content: TextContent },
        modalities?: null | ["text" | "audio"],
        audio?: null | { voice: string | object, format: "wav" | "aac" | "mp3" | "flac" | "opus" | "pcm16" },
        web_search_options?: Search, metadata?: null | { *: string(0..512) }, store?: boolean | null, user?: string,
        safety_identifier?: string(0..64), prompt_cache_key?: string,
        prompt_cache_options?: { mode?: "implicit" | "explicit", ttl?: string },
        prompt_cache_retention?: null | "in_memory" | "in-memory" | "24h",
        moderation?: object
    }
)";

// The endpoint's own fields; what it does not know, it refuses.
constexpr std::string_view xai = R"(
    ImagePart = { type: "image_url", image_url: { url: string(1..), detail?: "auto" | "low" | "high" } }
    TextContent = string | [Text](1..)
    Message = { role: "system", content: TextContent, name?: string }
            | { role: "user", content: string | [Text | ImagePart](1..), name?: string }
            | { role: "assistant", content?: TextContent | null, reasoning_content?: string | null,
                tool_calls?: [Call](1..), refusal?: null | string, name?: string, ... }
            | { role: "tool", tool_call_id: string(1..), content: TextContent }
    Format = { type: "text" } | { type: "json_object" } | {
        type: "json_schema",
        json_schema: { name: string(1..64), description?: string, schema?: object, strict?: boolean | null } }
    Request = {
        model: string(1..), messages: [Message](1..),
        max_completion_tokens?: integer(1..) | null, max_tokens?: integer(1..) | null,
        temperature?: number(0..2) | null, top_p?: number(0..1) | null,
        frequency_penalty?: number(-2..2) | null, presence_penalty?: number(-2..2) | null,
        stop?: null | string | [string](1..4), n?: integer(1..128) | null, seed?: integer | null,
        logprobs?: boolean | null, top_logprobs?: integer(0..8) | null,
        tools?: [Tool](1..128), tool_choice?: ToolChoice, parallel_tool_calls?: boolean,
        response_format?: Format, reasoning_effort?: null | "none" | "low" | "medium" | "high" | "xhigh",
        stream?: boolean | null, stream_options?: null | { include_usage?: boolean },
        service_tier?: null | "default" | "priority", user?: string
    }
)";

constexpr std::string_view openrouter = R"(
    Part = Text | { type: "image_url" | "input_audio" | "file" | "video_url", ... }
    OpenText = { type: "text", text: string, ... }
    Content = string | null | [OpenText | Part](1..)
    Message = { role: "system" | "developer" | "user", content: Content, ... }
            | { role: "assistant", content?: Content, tool_calls?: [Call](1..), reasoning?: string | null,
                reasoning_details?: [{ type: string, ... }], ... }
            | { role: "tool", tool_call_id: string(1..), content: Content, ... }
    Reasoning = { effort?: "none" | "minimal" | "low" | "medium" | "high" | "xhigh" | "max", max_tokens?: integer(1..),
                  exclude?: boolean, enabled?: boolean, summary?: string, ... }
    Provider = { order?: [string], only?: [string], ignore?: [string], allow_fallbacks?: boolean,
                 require_parameters?: boolean, data_collection?: "allow" | "deny", sort?: any, max_price?: object,
                 quantizations?: [string], zdr?: boolean, ... }
    Request = {
        model: string(1..), messages: [Message](1..), models?: [string],
        max_completion_tokens?: integer(1..) | null, max_tokens?: integer(1..) | null,
        temperature?: number(0..2) | null, top_p?: number(0..1) | null, top_k?: integer | null,
        frequency_penalty?: number(-2..2) | null, presence_penalty?: number(-2..2) | null,
        repetition_penalty?: number(0..2) | null, min_p?: number(0..1) | null, top_a?: number(0..1) | null,
        stop?: null | string | [string](1..), seed?: integer | null, logprobs?: boolean | null,
        top_logprobs?: integer(0..20) | null, logit_bias?: null | object,
        tools?: [{ type: "function", function: { name: string(1..), ... }, ... } | { type: string, ... }],
        tool_choice?: ToolChoice, parallel_tool_calls?: boolean | null,
        response_format?: { type: string, ... }, reasoning?: Reasoning | null,
        reasoning_effort?: null | string, provider?: Provider | null, plugins?: [object], transforms?: [string],
        stream?: boolean | null, stream_options?: null | { include_usage?: boolean, ... }, user?: string, ...
    }
)";

// What is documented, and `tool_choice` and `stop`, of which nobody says that they are refused; the reference advises
// to leave out everything else.
constexpr std::string_view minimax = R"(
    ImagePart = { type: "image_url", image_url: { url: string(1..), detail?: "low" | "default" | "high" | "auto" } }
    TextContent = string | [Text](1..)
    Detail = { type: "reasoning.text", text: string, id?: string, format?: string, index?: integer }
    Message = { role: "system", content: TextContent, name?: string }
            | { role: "user", content: string | [Text | ImagePart](1..), name?: string }
            | { role: "assistant", content?: TextContent | null, reasoning_content?: string,
                reasoning_details?: [Detail], tool_calls?: [Call](1..), name?: string, ... }
            | { role: "tool", tool_call_id: string(1..), content: TextContent }
    Request = {
        model: string(1..), messages: [Message](1..), max_completion_tokens?: integer(1..), max_tokens?: integer(1..),
        temperature?: number(0.000001..1), top_p?: number(0.000001..1), n?: integer(1..1),
        tools?: [Tool](1..128), tool_choice?: ToolChoice, stop?: string | [string](1..4),
        thinking?: { type: "adaptive" | "disabled" }, reasoning_split?: boolean,
        stream?: boolean, stream_options?: { include_usage?: boolean }
    }
)";

constexpr std::string_view responses = R"(
    Request = {
        model: string(1..), input?: string | [object](1..), instructions?: string | null,
        max_output_tokens?: integer(16..) | null, max_tool_calls?: integer(1..) | null,
        temperature?: number(0..2) | null, top_p?: number(0..1) | null, top_logprobs?: integer(0..20) | null,
        stream?: boolean | null, stream_options?: null | { include_obfuscation?: boolean },
        tools?: [{ type: string, ... }](0..128), tool_choice?: "none" | "auto" | "required" | { type: string, ... },
        parallel_tool_calls?: boolean | null, reasoning?: null | { effort?: string | null, summary?: string | null, ... },
        text?: { format?: { type: string, ... }, verbosity?: string | null }, include?: null | [string],
        previous_response_id?: string | null, conversation?: string | object | null, background?: boolean | null,
        store?: boolean | null, metadata?: null | { *: string(0..512) }, truncation?: null | "auto" | "disabled",
        user?: string, safety_identifier?: string(0..64), prompt_cache_key?: string, prompt_cache_retention?: string,
        prompt_cache_options?: object, service_tier?: string | null, prompt?: object | null, moderation?: object
    }
)";

constexpr std::string_view embeddings = R"(
    Request = {
        model: string(1..), input: string(1..) | [string(1..)](1..2048) | [integer(0..)](1..2048)
                                 | [[integer(0..)](1..)](1..2048),
        dimensions?: integer(1..), encoding_format?: "float" | "base64", user?: string
    }
)";

std::string with_tools(std::string_view text) {
    return std::string(tools).append(text);
}

}  // namespace

const mock_schema& openai_chat_schema() {
    static const mock_schema schema(with_tools(openai));
    return schema;
}

const mock_schema& xai_chat_schema() {
    static const mock_schema schema(with_tools(xai));
    return schema;
}

const mock_schema& openrouter_chat_schema() {
    static const mock_schema schema(with_tools(openrouter));
    return schema;
}

const mock_schema& minimax_chat_schema() {
    static const mock_schema schema(with_tools(minimax));
    return schema;
}

const mock_schema& openai_responses_schema() {
    static const mock_schema schema(responses);
    return schema;
}

const mock_schema& openai_embeddings_schema() {
    static const mock_schema schema(embeddings);
    return schema;
}

}  // namespace concurred::bench
