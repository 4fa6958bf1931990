#include "bench/mock_openai_chat.hpp"
#include "bench/mock_openai_check.hpp"
#include "bench/mock_template.hpp"
#include "bench/mock_words.hpp"

namespace concurred::bench {
namespace {

std::string usage_of(const mock_reply& reply) {
    const std::uint64_t completion = std::uint64_t{reply.tokens} + reply.reasoning_tokens;
    std::string text = "{\"prompt_tokens\":" + std::to_string(reply.prompt_tokens) +
                       ",\"completion_tokens\":" + std::to_string(completion) +
                       ",\"total_tokens\":" + std::to_string(reply.prompt_tokens + completion) +
                       ",\"prompt_tokens_details\":{\"cached_tokens\":" + std::to_string(reply.cached_tokens);
    if (reply.written_tokens > 0) {
        text.append(",\"cache_write_tokens\":").append(std::to_string(reply.written_tokens));
    }
    return text + ",\"audio_tokens\":0},\"completion_tokens_details\":{\"reasoning_tokens\":" +
           std::to_string(reply.reasoning_tokens) +
           ",\"audio_tokens\":0,\"accepted_prediction_tokens\":0,\"rejected_prediction_tokens\":0}}";
}

/// Everything of a chunk up to the value of `choices`.
std::string chunk_head(const mock_reply& reply, std::string_view object) {
    std::string text("{\"id\":\"chatcmpl-mock");
    text += mock_stamp::number_mark;
    text.append("\",\"object\":\"").append(object).append("\",\"created\":");
    text += mock_stamp::seconds_mark;
    text.append(",\"model\":\"").append(reply.model);
    return text.append("\",\"service_tier\":\"default\",\"system_fingerprint\":\"fp_mock\",\"choices\":[");
}

std::string chunk_tail(const mock_reply& reply) {
    std::string text(reply.usage_asked ? "],\"usage\":null" : "]");
    return text.append(reply.obfuscation ? ",\"obfuscation\":\"x7QpL2\"}\n\n" : "}\n\n");
}

std::string delta_event(const mock_reply& reply, std::string_view delta, std::string_view finish) {
    std::string text = "data: " + chunk_head(reply, "chat.completion.chunk");
    text.append("{\"index\":0,\"delta\":").append(delta).append(",\"logprobs\":null,\"finish_reason\":");
    return text.append(finish).append("}").append(chunk_tail(reply));
}

std::string tool_delta(std::uint32_t index, std::string_view fields) {
    return "{\"tool_calls\":[{\"index\":" + std::to_string(index) + "," + std::string(fields) + "}]}";
}

class openai_dialect final : public openai_chat_dialect {
public:
    std::string_view name() const noexcept override { return "openai"; }

    bool strict() const noexcept override { return false; }

    std::optional<mock_failure> check(const mock_request& request, const mock_call&) const override {
        return check_openai_chat(request.body);
    }

    std::string plain_body(const mock_reply& reply) const override {
        std::string text = chunk_head(reply, "chat.completion");
        text.append("{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":");
        if (reply.tools > 0) {
            text.append("null,\"tool_calls\":").append(tool_calls(reply, "call_mock"));
        } else {
            text.append("\"").append(reply.content).append("\"");
        }
        text.append(",\"refusal\":null,\"annotations\":[]},\"logprobs\":null,\"finish_reason\":\"");
        text.append(finish_reason(reply)).append("\"}]");
        if (reply.with_usage) {
            text.append(",\"usage\":").append(usage_of(reply));
        }
        return text.append("}");
    }

    mock_frames frames(const mock_reply& reply) const override {
        mock_frames frames;
        const std::string_view content = reply.tools > 0 ? "null" : "\"\"";
        frames.opening.push_back(delta_event(
            reply, "{\"role\":\"assistant\",\"content\":" + std::string(content) + ",\"refusal\":null}", "null"));
        for (std::uint32_t i = 0; i < reply.tools; ++i) {
            frames.scripted.push_back(
                {delta_event(reply,
                             tool_delta(i, "\"id\":\"" + words::numbered("call_mock", i) +
                                               R"(","type":"function","function":{"name":")" +
                                               std::string(reply.tool_name) + R"(","arguments":""})"),
                             "null")});
            const std::string arguments = words::escaped(words::tool_arguments(reply, i));
            for (const auto piece : words::pieces(arguments, reply.chunk)) {
                frames.scripted.push_back({delta_event(
                    reply, tool_delta(i, "\"function\":{\"arguments\":\"" + std::string(piece) + "\"}"), "null")});
            }
        }
        cut_at_content(delta_event(reply, R"({"content":""})", "null"), frames);
        frames.closing.push_back(delta_event(reply, "{}", "\"" + std::string(finish_reason(reply)) + "\""));
        if (reply.usage_asked && reply.with_usage) {
            std::string text = "data: " + chunk_head(reply, "chat.completion.chunk");
            text.append("],\"usage\":").append(usage_of(reply));
            frames.closing.push_back(text.append(reply.obfuscation ? ",\"obfuscation\":\"k2\"}\n\n" : "}\n\n"));
        }
        frames.end_mark = "data: [DONE]\n\n";
        return frames;
    }
};

}  // namespace

const mock_dialect& openai_mock_dialect() noexcept {
    static const openai_dialect dialect;
    return dialect;
}

}  // namespace concurred::bench
