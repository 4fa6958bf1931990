#include "bench/mock_dialect.hpp"
#include "bench/mock_json.hpp"
#include "bench/mock_openai_errors.hpp"
#include "bench/mock_template.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace concurred::bench {
namespace {

constexpr std::array<std::string_view, 4> cities{"Paris", "Tokyo", "Lima", "Oslo"};

std::uint32_t number_in(std::string_view value) noexcept {
    std::uint32_t number = UINT32_MAX;
    std::from_chars(value.data(), value.data() + value.size(), number);
    return number;
}

/// The arguments of tool call `index` as the body of a JSON string: the object text, its quotes escaped.
std::string arguments_of(std::uint32_t index) {
    std::string text(R"({\"location\":\")");
    text.append(cities[index % cities.size()]).append(R"(\"})");
    return text;
}

std::vector<std::string_view> pieces_of(std::string_view escaped, std::uint32_t characters) {
    std::vector<std::string_view> pieces;
    for (std::size_t begin = 0, at = 0; begin < escaped.size(); begin = at) {
        for (std::uint32_t i = 0; i < characters && at < escaped.size(); ++i) {
            at += json::unit_length(escaped, at);
        }
        pieces.push_back(escaped.substr(begin, at - begin));
    }
    return pieces;
}

std::string tool_id(std::uint32_t index) {
    std::string id("call_mock");
    id += mock_stamp::number_mark;
    return id + "n" + std::to_string(index);
}

std::string usage_of(const mock_reply& reply) {
    return "{\"prompt_tokens\":" + std::to_string(reply.prompt_tokens) +
           ",\"completion_tokens\":" + std::to_string(reply.completion_tokens) +
           ",\"total_tokens\":" + std::to_string(std::uint64_t{reply.prompt_tokens} + reply.completion_tokens) +
           ",\"prompt_tokens_details\":{\"cached_tokens\":" + std::to_string(reply.cached_tokens) +
           ",\"audio_tokens\":0},\"completion_tokens_details\":{\"reasoning_tokens\":" +
           std::to_string(reply.reasoning_tokens) +
           ",\"audio_tokens\":0,\"accepted_prediction_tokens\":0,\"rejected_prediction_tokens\":0}}";
}

std::string_view finish_reason(const mock_reply& reply) noexcept {
    return reply.tools > 0 ? "tool_calls" : reply.cut_off ? "length" : "stop";
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

class openai_dialect final : public mock_dialect {
public:
    bool claims(std::string_view path) const noexcept override { return path.ends_with("/chat/completions"); }

    mock_call read(std::string_view body) const override {
        mock_call call;
        const bool object = json::for_each_member(body, [&call](std::string_view key, std::string_view value) {
            if (key == "model") {
                call.model = json::string_body(value);
            } else if (key == "messages") {
                call.messages = value;
            } else if (key == "stream") {
                call.stream = value == "true";
            } else if (key == "stream_options") {
                json::for_each_member(value, [&call](std::string_view option, std::string_view setting) {
                    call.include_usage = call.include_usage || (option == "include_usage" && setting == "true");
                });
            } else if (key == "max_completion_tokens" || (key == "max_tokens" && call.max_tokens == UINT32_MAX)) {
                call.max_tokens = number_in(value);
            }
        });
        const bool printable =
            std::ranges::none_of(call.model, [](char c) { return static_cast<unsigned char>(c) < ' '; });
        call.valid = object && printable && !call.model.empty();
        return call;
    }

    bool ends_with_tool_result(std::string_view messages) const override {
        bool tool = false;
        json::for_each_element(messages, [&tool](std::string_view message) {
            json::for_each_member(message, [&tool](std::string_view key, std::string_view value) {
                tool = key == "role" ? value == "\"tool\"" : tool;
            });
        });
        return tool;
    }

    std::string last_user_text(std::string_view messages) const override {
        std::string_view content;
        json::for_each_element(messages, [&content](std::string_view message) {
            std::string_view found;
            bool user = false;
            json::for_each_member(message, [&](std::string_view key, std::string_view value) {
                user = user || (key == "role" && value == "\"user\"");
                found = key == "content" ? value : found;
            });
            content = user ? found : content;
        });
        std::string text(json::string_body(content));
        json::for_each_element(content, [&text](std::string_view part) {
            json::for_each_member(part, [&text](std::string_view key, std::string_view value) {
                text.append(key == "text" ? json::string_body(value) : std::string_view{});
            });
        });
        // Raw control bytes are no JSON, and some are marks of ours.
        std::ranges::replace_if(
            text, [](char c) { return static_cast<unsigned char>(c) < ' '; }, ' ');
        return text;
    }

    std::uint32_t tool_events(std::uint32_t tools, std::uint32_t tool_chunk) const override {
        std::size_t events = tools;
        for (std::uint32_t i = 0; i < tools; ++i) {
            events += pieces_of(arguments_of(i), tool_chunk).size();
        }
        return static_cast<std::uint32_t>(events);
    }

    std::string plain_body(const mock_reply& reply) const override {
        std::string text = chunk_head(reply, "chat.completion");
        text.append("{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":");
        if (reply.tools > 0) {
            text.append("null,\"tool_calls\":[");
            for (std::uint32_t i = 0; i < reply.tools; ++i) {
                text.append(i == 0 ? "{\"id\":\"" : ",{\"id\":\"").append(tool_id(i));
                text.append("\",\"type\":\"function\",\"function\":{\"name\":\"get_weather\",\"arguments\":\"");
                text.append(arguments_of(i)).append("\"}}");
            }
            text.append("]");
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
            frames.scripted.push_back(delta_event(
                reply,
                tool_delta(i, "\"id\":\"" + tool_id(i) +
                                  R"(","type":"function","function":{"name":"get_weather","arguments":""})"),
                "null"));
            const std::string arguments = arguments_of(i);
            for (const auto piece : pieces_of(arguments, reply.tool_chunk)) {
                frames.scripted.push_back(delta_event(
                    reply, tool_delta(i, "\"function\":{\"arguments\":\"" + std::string(piece) + "\"}"), "null"));
            }
        }
        const std::string event = delta_event(reply, R"({"content":""})", "null");
        const std::size_t cut = event.find(R"("content":"")") + std::string_view(R"("content":")").size();
        frames.before_piece = event.substr(0, cut);
        frames.after_piece = event.substr(cut);
        frames.closing.push_back(delta_event(reply, "{}", "\"" + std::string(finish_reason(reply)) + "\""));
        if (reply.usage_asked && reply.with_usage) {
            std::string text = "data: " + chunk_head(reply, "chat.completion.chunk");
            text.append("],\"usage\":").append(usage_of(reply));
            frames.closing.push_back(text.append(reply.obfuscation ? ",\"obfuscation\":\"k2\"}\n\n" : "}\n\n"));
        }
        frames.end_mark = "data: [DONE]\n\n";
        return frames;
    }

    std::string error_body(unsigned status, std::string_view code, std::string_view model) const override {
        return openai_error_body(status, code, model);
    }

    std::string error_event() const override {
        return "data: {\"error\":{\"message\":\"The server had an error while processing your request. Sorry about "
               "that!\",\"type\":\"server_error\",\"param\":null,\"code\":null}}\n\n";
    }
};

}  // namespace

const mock_dialect& openai_mock_dialect() noexcept {
    static const openai_dialect dialect;
    return dialect;
}

}  // namespace concurred::bench
