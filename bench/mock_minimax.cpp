#include "bench/mock_json.hpp"
#include "bench/mock_openai_chat.hpp"
#include "bench/mock_openai_check.hpp"
#include "bench/mock_template.hpp"
#include "bench/mock_words.hpp"

#include <algorithm>
#include <array>

namespace concurred::bench {
namespace {

// In `shape`: reasoning in fields of its own instead of tags in the content.
constexpr std::uint64_t split_shape = 1;

struct usual {
    unsigned status;
    std::string_view code;
    std::string_view message;
};

// HTTP status that a test asks for -> MiniMax's own code. Source: reference of providers, section 7.
constexpr std::array table{
    usual{400, "2013", "invalid params"},
    usual{401, "1004",
          "login fail: Please carry the API secret key in the 'Authorization' field of the request header"},
    usual{402, "1008", "insufficient balance"},
    usual{403, "2061", "your current token plan not support model"},
    usual{429, "1002", "rate limit exceeded(RPM)"},
    usual{500, "1000", "unknown error"},
    usual{502, "1024", "internal error"},
    usual{503, "1033", "downstream service error"},
    usual{504, "1001", "request timeout"},
};

const usual& usual_of(unsigned status) noexcept {
    const auto* row = std::ranges::find(table, status, &usual::status);
    return row != table.end() ? *row : status < 500 ? table[0] : table[5];
}

constexpr std::string_view sensitive =
    ",\"input_sensitive\":false,\"output_sensitive\":false,\"input_sensitive_type\":0,\"output_sensitive_type\":0,"
    "\"output_sensitive_int\":0";

std::string base_response(std::string_view code, std::string_view message) {
    std::string text = ",\"base_resp\":{\"status_code\":" + std::string(code) + ",\"status_msg\":";
    json::append_quoted(text, message);
    return text.append("}");
}

std::string error(std::string_view code, std::string_view message) {
    std::string text = "{\"id\":\"05a1mock";
    text += mock_stamp::number_mark;
    text.append("\",\"choices\":null,\"created\":0,\"model\":\"\",\"object\":\"\",");
    text.append("\"usage\":{\"total_tokens\":0,\"total_characters\":0}").append(sensitive);
    return text.append(base_response(code, message)).append("}");
}

std::string usage(const mock_reply& reply) {
    const std::uint64_t completion = std::uint64_t{reply.tokens} + reply.reasoning_tokens;
    return "{\"total_tokens\":" + std::to_string(reply.prompt_tokens + completion) +
           ",\"total_characters\":0,\"prompt_tokens\":" + std::to_string(reply.prompt_tokens) +
           ",\"completion_tokens\":" + std::to_string(completion) +
           ",\"completion_tokens_details\":{\"reasoning_tokens\":" + std::to_string(reply.reasoning_tokens) +
           "},\"prompt_tokens_details\":{\"cached_tokens\":" + std::to_string(reply.cached_tokens) + "}}";
}

constexpr std::string_view no_usage = "{\"total_tokens\":0,\"total_characters\":0}";

/// A whole object. \param choices the elements of the array
std::string object(const mock_reply& reply, std::string_view choices, std::string_view name, std::string_view counts) {
    std::string text = "{\"id\":\"05a1mock";
    text += mock_stamp::number_mark;
    text.append("\",\"choices\":[").append(choices).append("],\"created\":");
    text += mock_stamp::seconds_mark;
    text.append(",\"model\":\"").append(reply.model).append("\",\"object\":\"").append(name);
    return text.append("\",\"usage\":").append(counts).append(sensitive);
}

std::string chunk(const mock_reply& reply, std::string_view role, std::string_view fields,
                  std::string_view finish = {}) {
    std::string choice = finish.empty() ? "{" : "{\"finish_reason\":\"" + std::string(finish) + "\",";
    choice.append("\"index\":0,\"delta\":{\"role\":\"").append(role).append("\",").append(fields).append("}}");
    return "data: " + object(reply, choice, "chat.completion.chunk", no_usage) + "}\n\n";
}

std::string details(std::string_view text) {
    return R"(,"reasoning_details":[{"type":"reasoning.text","id":"reasoning-text-1","format":"MiniMax-response-v1",)"
           R"("index":0,"text":")" +
           std::string(text) + "\"}]";
}

std::string tagged(const mock_reply& reply) {
    return "<think>\\n" + words::thoughts(reply) + "\\n</think>\\n\\n";
}

class minimax_dialect final : public openai_chat_dialect {
public:
    std::string_view name() const noexcept override { return "minimax"; }

    bool claims(std::string_view path) const noexcept override {
        return under_prefix(path, name()) &&
               (openai_chat_dialect::claims(path) || path.ends_with("/text/chatcompletion_v2"));
    }

    bool owns(const mock_request& request) const noexcept override { return under_prefix(request.path, name()); }

    mock_failure bad_key(std::string_view) const override { return {401, std::string(usual_of(401).message)}; }

    mock_call read(const mock_request& request) const override {
        mock_call call = openai_chat_dialect::read(request);
        call.include_usage = true;
        call.thoughts = mock_thoughts::shown;
        json::for_each_member(request.body, [&call](std::string_view key, std::string_view value) {
            call.shape |= key == "reasoning_split" && value == "true" ? split_shape : 0;
        });
        return call;
    }

    std::optional<mock_failure> check(const mock_request& request, const mock_call&) const override {
        return check_minimax_chat(request.body);
    }

    std::uint32_t tool_tokens(const mock_reply& reply) const override { return reply.tools; }

    bool repeats_text() const noexcept override { return true; }

    std::string plain_body(const mock_reply& reply) const override {
        return object(reply, message_choice(reply), "chat.completion", counts(reply)) + base_response("0", "") + "}";
    }

    mock_frames frames(const mock_reply& reply) const override {
        mock_frames frames;
        think(reply, frames);
        for (std::uint32_t i = 0; i < reply.tools; ++i) {
            std::string fields = R"("content":"","tool_calls":[{"id":")" + words::numbered("call_function_mock", i);
            fields.append(R"(","type":"function","function":{"name":")").append(reply.tool_name);
            fields.append(R"(","arguments":")").append(words::escaped(words::tool_arguments(reply, i)));
            fields.append(R"("},"index":)").append(std::to_string(i)).append("}]");
            frames.scripted.push_back({chunk(reply, role(frames), fields)});
        }
        if (frames.scripted.empty()) {
            frames.opening.push_back(chunk(reply, "assistant", R"("content":"")"));
        }
        cut_at_content(chunk(reply, "", R"("content":"")"), frames);
        frames.closing.push_back(chunk(reply, "", R"("content":"")", finish_reason(reply)));
        if (reply.with_usage) {
            const bool whole = reply.repeat_last;
            frames.closing.push_back("data: " +
                                     object(reply, whole ? message_choice(reply) : "",
                                            whole ? "chat.completion" : "chat.completion.chunk", counts(reply)) +
                                     (whole ? base_response("0", "") : "") + "}\n\n");
        }
        frames.end_mark = "data: [DONE]\n\n";
        return frames;
    }

    std::string fields(const mock_settings&) const override {
        std::string text = "trace-id: mock";
        text += mock_stamp::number_mark;
        return text + "\r\n";
    }

    /// Errors come with 200.
    unsigned error_status(unsigned) const noexcept override { return 200; }

    std::string error_body(const mock_settings& settings, std::string_view) const override {
        const usual& row = usual_of(settings.status);
        return error(settings.code.empty() ? row.code : settings.code, row.message);
    }

    std::string error_event(std::string_view code) const override {
        return "data: " + error(code.empty() ? "1000" : code, "unknown error") + "\n\n";
    }

    std::string failure_body(const mock_failure& failure) const override {
        const usual& row = usual_of(failure.status);
        const bool parameters = row.code == "2013";
        return error(row.code, (parameters ? "invalid params, " : "") + failure.message);
    }

private:
    static std::string_view role(const mock_frames& frames) { return frames.scripted.empty() ? "assistant" : ""; }

    static std::string counts(const mock_reply& reply) {
        return reply.with_usage ? usage(reply) : std::string(no_usage);
    }

    static std::string message_choice(const mock_reply& reply) {
        std::string text = "{\"finish_reason\":\"" + std::string(finish_reason(reply));
        text.append(R"(","index":0,"message":{"role":"assistant","name":"MiniMax AI","audio_content":"","content":")");
        if (reply.thoughts > 0 && reply.shape != split_shape) {
            text.append(tagged(reply));
        }
        text.append(reply.content).append("\"");
        if (reply.thoughts > 0 && reply.shape == split_shape) {
            const std::string thoughts = words::thoughts(reply);
            text.append(",\"reasoning_content\":\"").append(thoughts).append("\"").append(details(thoughts));
        }
        if (reply.tools > 0) {
            text.append(",\"tool_calls\":").append(tool_calls(reply, "call_function_mock"));
        }
        return text.append("}}");
    }

    static void think(const mock_reply& reply, mock_frames& frames) {
        if (reply.shape == split_shape) {
            std::string so_far;
            for (std::uint32_t i = 0; i < reply.thoughts; ++i) {
                so_far.append(words::thought(reply, i));
                frames.scripted.push_back({chunk(reply, role(frames), "\"content\":\"\"" + details(so_far))});
            }
            return;
        }
        const std::string text = reply.thoughts > 0 ? tagged(reply) : std::string{};
        for (const auto piece : words::pieces(text, reply.chunk)) {
            const bool token = frames.scripted.size() < reply.thoughts;
            frames.scripted.push_back(
                {chunk(reply, role(frames), "\"content\":\"" + std::string(piece) + "\""), token});
        }
    }
};

}  // namespace

const mock_dialect& minimax_mock_dialect() noexcept {
    static const minimax_dialect dialect;
    return dialect;
}

}  // namespace concurred::bench
