#include "bench/mock_json.hpp"
#include "bench/mock_openai_chat.hpp"
#include "bench/mock_openai_check.hpp"
#include "bench/mock_template.hpp"
#include "bench/mock_words.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace concurred::bench {
namespace {

struct usual {
    unsigned status;
    std::string_view type;
    std::string_view message;
};

constexpr std::array table{
    usual{400, "invalid_request", "The request was refused."},
    usual{401, "authentication", "No auth credentials found"},
    usual{402, "payment_required", "Insufficient credits. Add more using https://openrouter.ai/credits"},
    usual{403, "content_policy_violation", "The input was flagged."},
    usual{404, "not_found", "No endpoints found for the model."},
    usual{408, "timeout", "The request timed out."},
    usual{413, "payload_too_large", "The request is too large."},
    usual{422, "unprocessable", "The request could not be processed."},
    usual{429, "rate_limit_exceeded", "Rate limit exceeded"},
    usual{500, "server", "Internal Server Error"},
    usual{502, "provider_unavailable", "Provider disconnected unexpectedly"},
    usual{503, "provider_overloaded", "No provider is available for the model."},
    usual{524, "timeout", "The provider did not answer in time."},
    usual{529, "provider_overloaded", "The provider is overloaded."},
};

const usual& usual_of(unsigned status) noexcept {
    const auto* row = std::ranges::find(table, status, &usual::status);
    return row != table.end() ? *row : status < 500 ? table[0] : table[9];
}

/// The error object. \param type empty: the usual one
std::string error_object(unsigned status, std::string_view message, std::string_view type) {
    std::string text = "{\"code\":" + std::to_string(status) + ",\"message\":";
    json::append_quoted(text, message);
    json::append_quoted(text.append(",\"metadata\":{\"error_type\":"), type.empty() ? usual_of(status).type : type);
    return text.append(",\"provider_name\":\"Mock\"}}");
}

std::string error_answer(unsigned status, std::string_view message, std::string_view type) {
    return "{\"error\":" + error_object(status, message, type) + ",\"user_id\":\"user_mock\"}";
}

std::string usage(const mock_reply& reply) {
    const std::uint64_t completion = std::uint64_t{reply.tokens} + reply.reasoning_tokens;
    return "{\"prompt_tokens\":" + std::to_string(reply.prompt_tokens) +
           ",\"completion_tokens\":" + std::to_string(completion) +
           ",\"total_tokens\":" + std::to_string(reply.prompt_tokens + completion) +
           ",\"cost\":0.000412,\"is_byok\":false,\"prompt_tokens_details\":{\"cached_tokens\":" +
           std::to_string(reply.cached_tokens) + ",\"cache_write_tokens\":" + std::to_string(reply.written_tokens) +
           ",\"audio_tokens\":0,\"video_tokens\":0},\"cost_details\":{\"upstream_inference_cost\":null," +
           "\"upstream_inference_prompt_cost\":0.000339,\"upstream_inference_completions_cost\":7.3e-05}," +
           "\"completion_tokens_details\":{\"reasoning_tokens\":" + std::to_string(reply.reasoning_tokens) +
           ",\"image_tokens\":0}}";
}

/// Everything up to the value of `choices`.
std::string head(std::string_view model, std::string_view object) {
    std::string text("{\"id\":\"gen-mock");
    text += mock_stamp::number_mark;
    text.append("\",\"provider\":\"Mock\",\"model\":\"").append(model);
    text.append("\",\"object\":\"").append(object).append("\",\"created\":");
    text += mock_stamp::seconds_mark;
    return text.append(",\"choices\":[");
}

std::string choice(std::string_view delta, std::string_view finish) {
    const std::string reason = finish.empty() ? "null" : "\"" + std::string(finish) + "\"";
    const std::string native = finish == "error" ? "null" : reason;
    return "{\"index\":0,\"delta\":{\"role\":\"assistant\"," + std::string(delta) + "},\"finish_reason\":" + reason +
           ",\"native_finish_reason\":" + native + ",\"logprobs\":null}";
}

std::string chunk(const mock_reply& reply, std::string_view delta, std::string_view finish = {}) {
    return "data: " + head(reply.model, "chat.completion.chunk") + choice(delta, finish) +
           "],\"system_fingerprint\":null}\n\n";
}

std::string reasoning(std::string_view text) {
    std::string fields = ",\"reasoning\":\"" + std::string(text) + "\",\"reasoning_details\":[{\"type\":";
    return fields.append(R"("reasoning.text","text":")").append(text).append(R"(","format":"unknown","index":0}])");
}

class openrouter_dialect final : public openai_chat_dialect {
public:
    std::string_view name() const noexcept override { return "openrouter"; }

    bool claims(std::string_view path) const noexcept override {
        return under_prefix(path, name()) && openai_chat_dialect::claims(path);
    }

    bool owns(const mock_request& request) const noexcept override { return under_prefix(request.path, name()); }

    mock_failure bad_key(std::string_view key) const override {
        return {401, key.empty() ? "No auth credentials found" : "User not found."};
    }

    mock_call read(const mock_request& request) const override {
        mock_call call = openai_chat_dialect::read(request);
        call.include_usage = true;
        call.thoughts = mock_thoughts::shown;
        json::for_each_member(request.body, [&call](std::string_view key, std::string_view value) {
            if (key == "reasoning") {
                json::for_each_member(value, [&call](std::string_view field, std::string_view setting) {
                    const bool excluded = field == "exclude" && setting == "true";
                    call.thoughts = excluded ? mock_thoughts::hidden : call.thoughts;
                });
            }
        });
        return call;
    }

    std::optional<mock_failure> check(const mock_request& request, const mock_call&) const override {
        return check_openrouter_chat(request.body);
    }

    std::string plain_body(const mock_reply& reply) const override {
        const std::string reason(finish_reason(reply));
        std::string text = head(reply.model, "chat.completion") + "{\"logprobs\":null,\"finish_reason\":\"" + reason;
        text.append("\",\"native_finish_reason\":\"").append(reason);
        text.append("\",\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"").append(reply.content);
        text.append("\",\"refusal\":null");
        text.append(reply.thoughts > 0 ? reasoning(words::thoughts(reply)) : "");
        if (reply.tools > 0) {
            text.append(",\"tool_calls\":").append(tool_calls(reply, "call_mock"));
        }
        text.append("}}]").append(reply.with_usage ? ",\"usage\":" + usage(reply) : "");
        return text.append("}");
    }

    mock_frames frames(const mock_reply& reply) const override {
        mock_frames frames;
        frames.opening.push_back(": OPENROUTER PROCESSING\n\n: OPENROUTER PROCESSING\n\n");
        for (std::uint32_t i = 0; i < reply.thoughts; ++i) {
            frames.scripted.push_back({chunk(reply, "\"content\":\"\"" + reasoning(words::thought(reply, i)))});
        }
        for (std::uint32_t i = 0; i < reply.tools; ++i) {
            const auto delta = [&](std::string_view fields) {
                return chunk(reply, "\"content\":null,\"tool_calls\":[{\"index\":" + std::to_string(i) + "," +
                                        std::string(fields) + "}]");
            };
            frames.scripted.push_back(
                {delta("\"id\":\"" + words::numbered("call_mock", i) + R"(","type":"function","function":{"name":")" +
                       std::string(reply.tool_name) + R"(","arguments":""})")});
            const std::string arguments = words::escaped(words::tool_arguments(reply, i));
            for (const auto piece : words::pieces(arguments, reply.chunk)) {
                frames.scripted.push_back(
                    {delta(R"("type":"function","function":{"arguments":")" + std::string(piece) + "\"}")});
            }
        }
        cut_at_content(chunk(reply, R"("content":"")"), frames);
        frames.closing.push_back(chunk(reply, R"("content":"")", finish_reason(reply)));
        if (reply.with_usage) {
            frames.closing.push_back("data: " + head(reply.model, "chat.completion.chunk") +
                                     "],\"system_fingerprint\":null,\"usage\":" + usage(reply) + "}\n\n");
        }
        frames.end_mark = "data: [DONE]\n\n";
        return frames;
    }

    std::string fields(const mock_settings&) const override {
        std::string text = "x-generation-id: gen-mock";
        text += mock_stamp::number_mark;
        return text + "\r\n";
    }

    std::string error_body(const mock_settings& settings, std::string_view) const override {
        return error_answer(settings.status, usual_of(settings.status).message, settings.code);
    }

    std::string error_event(std::string_view code) const override {
        unsigned status = 502;
        std::from_chars(code.data(), code.data() + code.size(), status);
        return "data: " + head("mock", "chat.completion.chunk") + choice(R"("content":"")", "error") +
               "],\"system_fingerprint\":null,\"error\":" + error_object(status, usual_of(status).message, "") +
               "}\n\ndata: [DONE]\n\n";
    }

    std::string failure_body(const mock_failure& failure) const override {
        return error_answer(failure.status, failure.message, "");
    }
};

}  // namespace

const mock_dialect& openrouter_mock_dialect() noexcept {
    static const openrouter_dialect dialect;
    return dialect;
}

}  // namespace concurred::bench
