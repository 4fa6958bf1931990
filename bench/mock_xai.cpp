#include "bench/mock_json.hpp"
#include "bench/mock_openai_chat.hpp"
#include "bench/mock_openai_check.hpp"
#include "bench/mock_template.hpp"
#include "bench/mock_words.hpp"

#include <algorithm>
#include <array>

namespace concurred::bench {
namespace {

struct usual {
    unsigned status;
    std::string_view code;
    std::string_view error;
};

constexpr std::array table{
    usual{400, "Client specified an invalid argument", "The request was refused."},
    usual{401, "Unauthenticated", "No valid credentials were found."},
    usual{403, "The caller does not have permission to execute the specified operation",
          "Your team is blocked from using this API."},
    usual{404, "Some requested entity was not found", "The model does not exist or your team does not have access."},
    usual{429, "Some resource has been exhausted", "Your team has reached its rate limit for this model."},
    usual{500, "Internal error", "Something went wrong on our side."},
    usual{503, "The service is currently unavailable", "Service temporarily unavailable. The model is at capacity."},
};

const usual& usual_of(unsigned status) noexcept {
    const auto* row = std::ranges::find(table, status, &usual::status);
    return row != table.end() ? *row : status < 500 ? table[0] : table[5];
}

std::string error(std::string_view code, std::string_view message) {
    std::string text = "{\"code\":";
    json::append_quoted(text, code);
    json::append_quoted(text.append(",\"error\":"), message);
    return text.append("}");
}

std::string usage(const mock_reply& reply) {
    const std::string prompt = std::to_string(reply.prompt_tokens);
    // Reasoning is no part of completion_tokens, but of the total.
    const std::uint64_t total = std::uint64_t{reply.prompt_tokens} + reply.tokens + reply.reasoning_tokens;
    const std::uint64_t ticks =
        std::uint64_t{reply.prompt_tokens} * 2'000 + (std::uint64_t{reply.tokens} + reply.reasoning_tokens) * 15'000;
    return "{\"prompt_tokens\":" + prompt + ",\"completion_tokens\":" + std::to_string(reply.tokens) +
           ",\"total_tokens\":" + std::to_string(total) + ",\"prompt_tokens_details\":{\"text_tokens\":" + prompt +
           ",\"audio_tokens\":0,\"image_tokens\":0,\"cached_tokens\":" + std::to_string(reply.cached_tokens) +
           "},\"completion_tokens_details\":{\"reasoning_tokens\":" + std::to_string(reply.reasoning_tokens) +
           ",\"audio_tokens\":0,\"accepted_prediction_tokens\":0,\"rejected_prediction_tokens\":0}" +
           ",\"num_sources_used\":0,\"cost_in_usd_ticks\":" + std::to_string(ticks) + "}";
}

/// Everything up to the value of `choices`.
std::string head(const mock_reply& reply, std::string_view object) {
    std::string text("{\"id\":\"edea4703-19aa-6d74-fedb-");
    text += mock_stamp::number_mark;
    text.append("\",\"object\":\"").append(object).append("\",\"created\":");
    text += mock_stamp::seconds_mark;
    return text.append(",\"model\":\"").append(reply.model).append("\",\"choices\":[");
}

constexpr std::string_view tail = ",\"system_fingerprint\":\"fp_mock\"}";

std::string chunk(const mock_reply& reply, std::string_view delta, std::string_view finish = {}) {
    std::string text = "data: " + head(reply, "chat.completion.chunk") + "{\"index\":0,\"delta\":{";
    text.append(delta).append("}");
    text.append(finish.empty() ? "" : ",\"finish_reason\":\"" + std::string(finish) + "\"");
    return text.append("}]").append(tail).append("\n\n");
}

class xai_dialect final : public openai_chat_dialect {
public:
    std::string_view name() const noexcept override { return "x-ai"; }

    bool claims(std::string_view path) const noexcept override {
        return under_prefix(path, name()) && openai_chat_dialect::claims(path);
    }

    bool owns(const mock_request& request) const noexcept override { return under_prefix(request.path, name()); }

    mock_failure bad_key(std::string_view key) const override {
        return {400, "Incorrect API key provided: " + std::string(key.substr(0, 2)) +
                         "***. You can obtain an API key from https://console.x.ai."};
    }

    mock_call read(const mock_request& request) const override {
        mock_call call = openai_chat_dialect::read(request);
        call.include_usage = true;
        call.thoughts = mock_thoughts::shown;
        return call;
    }

    std::optional<mock_failure> check(const mock_request& request, const mock_call&) const override {
        return check_xai_chat(request.body);
    }

    std::uint32_t tool_tokens(const mock_reply& reply) const override { return reply.tools; }

    std::string plain_body(const mock_reply& reply) const override {
        std::string text = head(reply, "chat.completion") + "{\"index\":0,\"message\":{\"role\":\"assistant\"";
        text.append(",\"content\":\"").append(reply.content).append("\"");
        if (reply.thoughts > 0) {
            text.append(",\"reasoning_content\":\"").append(words::thoughts(reply)).append("\"");
        }
        if (reply.tools > 0) {
            text.append(",\"tool_calls\":").append(tool_calls(reply, "call_mock"));
        }
        text.append(",\"refusal\":null},\"finish_reason\":\"").append(finish_reason(reply)).append("\"}]");
        text.append(reply.with_usage ? ",\"usage\":" + usage(reply) : "");
        return text.append(tail);
    }

    mock_frames frames(const mock_reply& reply) const override {
        mock_frames frames;
        if (reply.thoughts == 0) {
            frames.opening.push_back(chunk(reply, R"("content":"","role":"assistant")"));
        }
        for (std::uint32_t i = 0; i < reply.thoughts; ++i) {
            const std::string role = i == 0 ? R"(,"role":"assistant")" : "";
            frames.scripted.push_back(
                {chunk(reply, "\"reasoning_content\":\"" + words::thought(reply, i) + "\"" + role)});
        }
        for (std::uint32_t i = 0; i < reply.tools; ++i) {
            std::string delta = R"("tool_calls":[{"id":")" + words::numbered("call_mock", i);
            delta.append(R"(","function":{"name":")").append(reply.tool_name).append(R"(","arguments":")");
            delta.append(words::escaped(words::tool_arguments(reply, i)));
            delta.append(R"("},"index":)").append(std::to_string(i)).append(R"(,"type":"function"}])");
            frames.scripted.push_back({chunk(reply, delta)});
        }
        cut_at_content(chunk(reply, R"("content":"")"), frames);
        frames.closing.push_back(chunk(reply, "", finish_reason(reply)));
        if (reply.with_usage) {
            std::string text = "data: " + head(reply, "chat.completion.chunk") + "],\"usage\":" + usage(reply);
            frames.closing.push_back(text.append(tail).append("\n\n"));
        }
        frames.end_mark = "data: [DONE]\n\n";
        return frames;
    }

    std::string fields(const mock_settings&) const override {
        std::string text = "x-request-id: req_mock";
        text += mock_stamp::number_mark;
        return text + "\r\n";
    }

    std::string error_body(const mock_settings& settings, std::string_view) const override {
        const usual& row = usual_of(settings.status);
        return error(settings.code.empty() ? row.code : settings.code, row.error);
    }

    std::string error_event(std::string_view code) const override {
        return "data: " + error(code.empty() ? usual_of(503).code : code, usual_of(503).error) + "\n\n";
    }

    std::string failure_body(const mock_failure& failure) const override {
        return error(usual_of(failure.status).code, failure.message);
    }
};

}  // namespace

const mock_dialect& xai_mock_dialect() noexcept {
    static const xai_dialect dialect;
    return dialect;
}

}  // namespace concurred::bench
