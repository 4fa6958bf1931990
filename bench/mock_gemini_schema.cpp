#include "bench/mock_gemini_schema.hpp"

#include <string_view>

namespace concurred::bench {
namespace {

constexpr std::string_view text = R"(
    Blob = { mimeType: string(1..), data: string(1..), displayName?: string }
    File = { mimeType?: string, fileUri: string(1..), displayName?: string }
    Call = { id?: string, name: string(1..), args?: object, willContinue?: boolean, partialArgs?: [object] }
    Response = { id?: string, name: string(1..), response: object, willContinue?: boolean,
                 scheduling?: "SILENT" | "WHEN_IDLE" | "INTERRUPT", parts?: [object] }
    Part = { text?: string, thought?: boolean, thoughtSignature?: string(1..), inlineData?: Blob, fileData?: File,
             functionCall?: Call, functionResponse?: Response,
             executableCode?: { language: "PYTHON", code: string },
             codeExecutionResult?: { outcome: string, output?: string },
             videoMetadata?: object, mediaResolution?: object, partMetadata?: object }
    Content = { role?: "user" | "model" | "function", parts: [Part](1..) }
    Type = "STRING" | "NUMBER" | "INTEGER" | "BOOLEAN" | "ARRAY" | "OBJECT" | "NULL"
         | "string" | "number" | "integer" | "boolean" | "array" | "object" | "null"
    Schema = { type?: Type, format?: string, title?: string, description?: string, nullable?: boolean,
               enum?: [string], items?: Schema, minItems?: Count, maxItems?: Count, properties?: { *: Schema },
               required?: [string], propertyOrdering?: [string], minProperties?: Count, maxProperties?: Count,
               minimum?: number, maximum?: number, minLength?: Count, maxLength?: Count, pattern?: string,
               example?: any, anyOf?: [Schema], default?: any }
    Count = integer(0..) | string(1..)
    Declaration = { name: string(1..64), description?: string, parameters?: Schema, parametersJsonSchema?: any,
                    response?: Schema, responseJsonSchema?: any, behavior?: "BLOCKING" | "NON_BLOCKING" }
    Search = { timeRangeFilter?: object, searchTypes?: object, excludeDomains?: [string], blockingConfidence?: string }
    Tool = { functionDeclarations?: [Declaration](1..), googleSearch?: Search, codeExecution?: object,
             urlContext?: object, googleSearchRetrieval?: object, googleMaps?: object, fileSearch?: object,
             computerUse?: object, mcpServers?: [object] }
    Calling = { mode?: "AUTO" | "ANY" | "NONE" | "VALIDATED" | "MODE_UNSPECIFIED", allowedFunctionNames?: [string],
                streamFunctionCallArguments?: boolean }
    ToolConfig = { functionCallingConfig?: Calling, retrievalConfig?: object, includeServerSideToolInvocations?: boolean }
    Thinking = { includeThoughts?: boolean, thinkingBudget?: integer(-1..),
                 thinkingLevel?: "MINIMAL" | "LOW" | "MEDIUM" | "HIGH" | "XHIGH" | "minimal" | "low" | "medium"
                               | "high" | "xhigh" }
    Generation = {
        temperature?: number(0..2), topP?: number(0..1), topK?: number(0..), candidateCount?: integer(1..8),
        maxOutputTokens?: integer(1..), stopSequences?: [string](0..5), seed?: integer(-2147483648..2147483647),
        presencePenalty?: number(-2..2), frequencyPenalty?: number(-2..2), responseLogprobs?: boolean,
        logprobs?: integer(0..20), responseMimeType?: "text/plain" | "application/json" | "text/x.enum",
        responseSchema?: Schema, responseJsonSchema?: any, responseModalities?: ["TEXT" | "IMAGE" | "AUDIO"],
        thinkingConfig?: Thinking, speechConfig?: object, mediaResolution?: string, imageConfig?: object,
        enableEnhancedCivicAnswers?: boolean, routingConfig?: object, audioTimestamp?: boolean }
    Safety = { category: string, threshold: string, method?: string }
    Request = {
        contents: [Content](1..), systemInstruction?: { role?: string, parts: [Part](1..) },
        tools?: [Tool], toolConfig?: ToolConfig, generationConfig?: Generation, safetySettings?: [Safety],
        cachedContent?: string(1..), serviceTier?: "flex" | "standard" | "priority" | "unspecified",
        store?: boolean, model?: string
    }
)";

}  // namespace

const mock_schema& gemini_schema() {
    static const mock_schema schema(text);
    return schema;
}

}  // namespace concurred::bench
