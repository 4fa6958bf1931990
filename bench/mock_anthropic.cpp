#include "bench/mock_anthropic_check.hpp"
#include "bench/mock_anthropic_text.hpp"
#include "bench/mock_dialect.hpp"
#include "bench/mock_json.hpp"
#include "bench/mock_template.hpp"
#include "bench/mock_words.hpp"

#include <algorithm>

namespace concurred::bench {
namespace {

std::string event(std::string_view name, std::string_view fields) {
    std::string text = "event: " + std::string(name) + "\ndata: {\"type\":\"" + std::string(name) + "\"";
    return text.append(fields.empty() ? "" : ",").append(fields).append("}\n\n");
}

std::string at_block(std::uint32_t index, std::string_view fields) {
    return "\"index\":" + std::to_string(index) + "," + std::string(fields);
}

std::string block_start(std::uint32_t index, std::string_view block) {
    return event("content_block_start", at_block(index, "\"content_block\":{" + std::string(block) + "}"));
}

std::string block_delta(std::uint32_t index, std::string_view delta) {
    return event("content_block_delta", at_block(index, "\"delta\":{" + std::string(delta) + "}"));
}

std::string block_stop(std::uint32_t index) {
    return event("content_block_stop", "\"index\":" + std::to_string(index));
}

/// The counts that a stream's last event repeats.
std::string input_counts(const mock_reply& reply) {
    const std::uint32_t fresh = reply.prompt_tokens - reply.cached_tokens - reply.written_tokens;
    return "\"input_tokens\":" + std::to_string(fresh) +
           ",\"cache_creation_input_tokens\":" + std::to_string(reply.written_tokens) +
           ",\"cache_read_input_tokens\":" + std::to_string(reply.cached_tokens);
}

std::string output_counts(const mock_reply& reply) {
    std::string text = ",\"output_tokens\":" + std::to_string(std::uint64_t{reply.tokens} + reply.reasoning_tokens);
    if (reply.reasoning_tokens > 0) {
        text.append(",\"output_tokens_details\":{\"thinking_tokens\":");
        text.append(std::to_string(reply.reasoning_tokens)).append("}");
    }
    return text;
}

std::string usage(const mock_reply& reply, const std::string& output) {
    return "{" + input_counts(reply) +
           ",\"cache_creation\":{\"ephemeral_5m_input_tokens\":" + std::to_string(reply.written_tokens) +
           ",\"ephemeral_1h_input_tokens\":0}" + output +
           ",\"service_tier\":\"standard\",\"inference_geo\":\"not_available\"}";
}

std::string_view stop_reason(const mock_reply& reply) noexcept {
    return reply.tools > 0 ? "tool_use" : reply.cut_off ? "max_tokens" : "end_turn";
}

/// `"model":…` up to the value of `content`.
std::string message_head(const mock_reply& reply) {
    std::string text = "{\"model\":\"" + std::string(reply.model) + "\",\"id\":\"msg_01mock";
    text += mock_stamp::number_mark;
    return text.append("\",\"type\":\"message\",\"role\":\"assistant\",\"content\":");
}

std::string tool_fields(const mock_reply& reply, std::uint32_t index, std::string_view input) {
    std::string text = "\"type\":\"tool_use\",\"id\":\"" + words::numbered("toolu_01mock", index);
    return text.append("\",\"name\":\"").append(reply.tool_name).append("\",\"input\":").append(input);
}

/// Arguments as they can stand for an object.
std::string tool_input(const mock_reply& reply, std::uint32_t index) {
    const std::string text = words::tool_arguments(reply, index);
    return json::for_each_member(text, [](std::string_view, std::string_view) {}) ? text : "{}";
}

class anthropic_dialect final : public mock_dialect {
public:
    std::string_view name() const noexcept override { return "anthropic"; }

    bool claims(std::string_view path) const noexcept override { return path.ends_with("/messages"); }

    bool owns(const mock_request& request) const noexcept override {
        return !request.version.empty() || !request.api_key.empty() ||
               request.path.find("/messages") != std::string_view::npos;
    }

    std::string_view key_of(const mock_request& request) const noexcept override {
        return request.api_key.empty() ? request.key : request.api_key;
    }

    mock_failure bad_key(std::string_view key) const override {
        return {401, key.empty() ? "x-api-key header is required" : "invalid x-api-key"};
    }

    std::optional<std::string> document(const mock_request& request,
                                        std::span<const std::string> models) const override {
        if (request.method == "GET" && request.path.ends_with("/models")) {
            return anthropic_models(models);
        }
        if (request.method == "POST" && request.path.ends_with("/messages/count_tokens")) {
            return "{\"input_tokens\":" + std::to_string(std::max<std::size_t>(request.body.size() / 4, 1)) + "}";
        }
        return std::nullopt;
    }

    mock_call read(const mock_request& request) const override {
        mock_call call;
        call.thoughts = mock_thoughts::none;
        const bool object = json::for_each_member(request.body, [&call](std::string_view key, std::string_view value) {
            if (key == "model") {
                call.model = json::string_body(value);
            } else if (key == "messages") {
                call.messages = value;
            } else if (key == "stream") {
                call.stream = value == "true";
            } else if (key == "max_tokens") {
                call.max_tokens = words::number_in(value);
            } else if (key == "thinking") {
                json::for_each_member(value, [&call](std::string_view field, std::string_view setting) {
                    const bool on = field == "type" && setting != "\"disabled\"";
                    call.thoughts = on ? mock_thoughts::asked : call.thoughts;
                });
            }
        });
        call.valid = object && words::printable(call.model) && !call.model.empty();
        return call;
    }

    std::optional<mock_failure> check(const mock_request& request, const mock_call&) const override {
        return check_anthropic(request);
    }

    bool ends_with_tool_result(std::string_view messages) const override {
        std::string_view type;
        json::for_each_element(messages, [&type](std::string_view message) {
            type = {};
            json::for_each_member(message, [&type](std::string_view key, std::string_view value) {
                if (key == "content") {
                    json::for_each_element(value, [&type](std::string_view block) { type = member(block, "type"); });
                }
            });
        });
        return type == "\"tool_result\"";
    }

    std::string last_user_text(std::string_view messages) const override {
        return openai_mock_dialect().last_user_text(messages);
    }

    std::uint32_t tool_tokens(const mock_reply& reply) const override {
        std::size_t tokens = 0;
        for (std::uint32_t i = 0; i < reply.tools; ++i) {
            tokens += 1 + words::pieces(words::escaped(words::tool_arguments(reply, i)), reply.chunk).size();
        }
        return static_cast<std::uint32_t>(tokens);
    }

    std::string plain_body(const mock_reply& reply) const override {
        std::string text = message_head(reply) + "[";
        if (reply.thoughts > 0) {
            const std::string thoughts = words::thoughts(reply);
            text.append("{\"type\":\"thinking\",\"thinking\":\"").append(thoughts).append("\",\"signature\":\"");
            text.append(words::signature(thoughts)).append("\"},");
        }
        for (std::uint32_t i = 0; i < reply.tools; ++i) {
            text.append(i == 0 ? "{" : ",{").append(tool_fields(reply, i, tool_input(reply, i))).append("}");
        }
        if (reply.tools == 0) {
            text.append("{\"type\":\"text\",\"text\":\"").append(reply.content).append("\"}");
        }
        text.append("],\"stop_reason\":\"").append(stop_reason(reply)).append("\",\"stop_sequence\":null");
        return text.append(",\"usage\":").append(usage(reply, output_counts(reply))).append("}");
    }

    mock_frames frames(const mock_reply& reply) const override {
        mock_frames frames;
        frames.opening.push_back(
            event("message_start", "\"message\":" + message_head(reply) +
                                       "[],\"stop_reason\":null,\"stop_sequence\":null,\"usage\":" +
                                       usage(reply, ",\"output_tokens\":1") + "}"));
        std::uint32_t block = 0;
        if (reply.thoughts > 0) {
            think(reply, frames);
            ++block;
        } else {
            frames.opening.push_back(event("ping", ""));
        }
        for (std::uint32_t i = 0; i < reply.tools; ++i, ++block) {
            call_tool(reply, i, block, frames);
        }
        if (reply.tools == 0) {
            frames.scripted.push_back({block_start(block, R"("type":"text","text":"")"), false});
            const std::string delta = block_delta(block, R"("type":"text_delta","text":"")");
            const std::size_t cut = delta.rfind('"');
            frames.before_piece = delta.substr(0, cut);
            frames.after_piece = delta.substr(cut);
            frames.closing.push_back(block_stop(block));
        }
        std::string last = "\"delta\":{\"stop_reason\":\"" + std::string(stop_reason(reply)) +
                           "\",\"stop_sequence\":null},\"usage\":{";
        last.append(reply.with_usage ? input_counts(reply) + output_counts(reply) : "\"output_tokens\":0");
        frames.closing.push_back(event("message_delta", last.append("}")));
        // What `no-done` leaves out.
        frames.end_mark = event("message_stop", "");
        return frames;
    }

    std::string fields(const mock_settings& settings) const override { return anthropic_fields(settings); }

    std::string error_body(const mock_settings& settings, std::string_view model) const override {
        return anthropic_error_body(settings.status, settings.code, model);
    }

    std::string error_event(std::string_view code) const override { return anthropic_error_event(code); }

    std::string failure_body(const mock_failure& failure) const override {
        return anthropic_error(failure.status, "", failure.message);
    }

private:
    static std::string_view member(std::string_view object, std::string_view name) {
        std::string_view found;
        json::for_each_member(
            object, [&](std::string_view key, std::string_view value) { found = key == name ? value : found; });
        return found;
    }

    static void think(const mock_reply& reply, mock_frames& frames) {
        frames.scripted.push_back({block_start(0, R"("type":"thinking","thinking":"","signature":"")"), false});
        frames.scripted.push_back({event("ping", ""), false});
        for (std::uint32_t i = 0; i < reply.thoughts; ++i) {
            const std::string delta = R"("type":"thinking_delta","thinking":")" + words::thought(reply, i) + "\"";
            frames.scripted.push_back({block_delta(0, delta)});
        }
        const std::string proof = words::signature(words::thoughts(reply));
        frames.scripted.push_back({block_delta(0, R"("type":"signature_delta","signature":")" + proof + "\""), false});
        frames.scripted.push_back({block_stop(0), false});
    }

    static void call_tool(const mock_reply& reply, std::uint32_t index, std::uint32_t block, mock_frames& frames) {
        frames.scripted.push_back({block_start(block, tool_fields(reply, index, "{}"))});
        frames.scripted.push_back({block_delta(block, R"("type":"input_json_delta","partial_json":"")"), false});
        const std::string arguments = words::escaped(words::tool_arguments(reply, index));
        for (const auto piece : words::pieces(arguments, reply.chunk)) {
            frames.scripted.push_back(
                {block_delta(block, R"("type":"input_json_delta","partial_json":")" + std::string(piece) + "\"")});
        }
        frames.scripted.push_back({block_stop(block), false});
    }
};

}  // namespace

const mock_dialect& anthropic_mock_dialect() noexcept {
    static const anthropic_dialect dialect;
    return dialect;
}

}  // namespace concurred::bench
