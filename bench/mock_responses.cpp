#include "bench/mock_dialect.hpp"
#include "bench/mock_json.hpp"
#include "bench/mock_openai_chat.hpp"
#include "bench/mock_openai_check.hpp"
#include "bench/mock_template.hpp"
#include "bench/mock_words.hpp"

namespace concurred::bench {
namespace {

std::string usage(const mock_reply& reply) {
    const std::uint64_t output = std::uint64_t{reply.tokens} + reply.reasoning_tokens;
    return "{\"input_tokens\":" + std::to_string(reply.prompt_tokens) +
           ",\"input_tokens_details\":{\"cached_tokens\":" + std::to_string(reply.cached_tokens) +
           "},\"output_tokens\":" + std::to_string(output) +
           ",\"output_tokens_details\":{\"reasoning_tokens\":" + std::to_string(reply.reasoning_tokens) +
           "},\"total_tokens\":" + std::to_string(reply.prompt_tokens + output) + "}";
}

/// The response object. \param output elements of its output \param done the answer is complete
std::string response(const mock_reply& reply, std::string_view output, bool done) {
    const bool cut = done && reply.cut_off;
    std::string text("{\"id\":\"resp_mock");
    text += mock_stamp::number_mark;
    text.append("\",\"object\":\"response\",\"created_at\":");
    text += mock_stamp::seconds_mark;
    text.append(",\"status\":\"").append(!done ? "in_progress" : cut ? "incomplete" : "completed");
    text.append("\",\"background\":false,\"error\":null,\"incomplete_details\":");
    text.append(cut ? R"({"reason":"max_output_tokens"})" : "null");
    text.append(",\"instructions\":null,\"max_output_tokens\":null,\"model\":\"").append(reply.model);
    text.append("\",\"output\":[").append(output);
    text.append("],\"parallel_tool_calls\":true,\"previous_response_id\":null,");
    text.append(R"("reasoning":{"effort":null,"summary":null},"store":true,"temperature":1.0,)");
    text.append(R"("text":{"format":{"type":"text"}},"tool_choice":"auto","tools":[],"top_p":1.0,)");
    text.append(R"("truncation":"disabled","usage":)").append(done && reply.with_usage ? usage(reply) : "null");
    return text.append(",\"user\":null,\"metadata\":{}}");
}

std::string event(std::string_view type, std::string_view sequence, std::string_view fields) {
    std::string text = "event: " + std::string(type) + "\ndata: {\"type\":\"" + std::string(type);
    text.append("\",\"sequence_number\":").append(sequence).append(",").append(fields);
    return text.append("}\n\n");
}

std::string text_part(std::string_view text) {
    return R"({"type":"output_text","annotations":[],"logprobs":[],"text":")" + std::string(text) + "\"}";
}

std::string message_item(std::string_view status, std::string_view parts) {
    std::string text("{\"id\":\"msg_mock");
    text += mock_stamp::number_mark;
    text.append("\",\"type\":\"message\",\"status\":\"").append(status);
    return text.append("\",\"content\":[").append(parts).append("],\"role\":\"assistant\"}");
}

std::string call_item(const mock_reply& reply, std::uint32_t index, bool done) {
    std::string text = "{\"id\":\"" + words::numbered("fc_mock", index);
    text.append("\",\"type\":\"function_call\",\"status\":\"").append(done ? "completed" : "in_progress");
    text.append("\",\"arguments\":\"").append(done ? words::escaped(words::tool_arguments(reply, index)) : "");
    text.append("\",\"call_id\":\"").append(words::numbered("call_mock", index));
    return text.append("\",\"name\":\"").append(reply.tool_name).append("\"}");
}

std::string whole_output(const mock_reply& reply) {
    if (reply.tools == 0) {
        return message_item("completed", text_part(reply.content));
    }
    std::string text;
    for (std::uint32_t i = 0; i < reply.tools; ++i) {
        text.append(i == 0 ? "" : ",").append(call_item(reply, i, true));
    }
    return text;
}

/// Numbers the events of a stream.
class numbering {
public:
    [[nodiscard]] std::string next() { return std::to_string(next_++); }
    [[nodiscard]] std::uint64_t reached() const noexcept { return next_; }
    void skip(std::uint64_t count) noexcept { next_ += count; }

private:
    std::uint64_t next_ = 0;
};

void call_tool(const mock_reply& reply, std::uint32_t index, numbering& numbers, mock_frames& frames) {
    const std::string place = "\"output_index\":" + std::to_string(index);
    const std::string item = "\"item_id\":\"" + words::numbered("fc_mock", index) + "\"," + place;
    const std::string arguments = words::escaped(words::tool_arguments(reply, index));
    frames.scripted.push_back(
        {event("response.output_item.added", numbers.next(), place + ",\"item\":" + call_item(reply, index, false))});
    for (const auto piece : words::pieces(arguments, reply.chunk)) {
        frames.scripted.push_back({event("response.function_call_arguments.delta", numbers.next(),
                                         item + ",\"delta\":\"" + std::string(piece) + "\"")});
    }
    frames.scripted.push_back(
        {event("response.function_call_arguments.done", numbers.next(), item + ",\"arguments\":\"" + arguments + "\""),
         false});
    frames.scripted.push_back(
        {event("response.output_item.done", numbers.next(), place + ",\"item\":" + call_item(reply, index, true)),
         false});
}

void say_text(const mock_reply& reply, numbering& numbers, mock_frames& frames) {
    std::string item("\"item_id\":\"msg_mock");
    item += mock_stamp::number_mark;
    item.append("\",\"output_index\":0,\"content_index\":0");
    frames.opening.push_back(event("response.output_item.added", numbers.next(),
                                   "\"output_index\":0,\"item\":" + message_item("in_progress", "")));
    frames.opening.push_back(event("response.content_part.added", numbers.next(), item + ",\"part\":" + text_part("")));
    const std::string delta = event("response.output_text.delta", std::string(1, mock_stamp::count_mark),
                                    item + ",\"logprobs\":[],\"delta\":\"\"");
    const std::size_t cut = delta.rfind('"');
    frames.before_piece = delta.substr(0, cut);
    frames.after_piece = delta.substr(cut);
    // The mark counts from one.
    frames.count_from = numbers.reached() - 1;
    numbers.skip(reply.tokens);
    frames.closing.push_back(event("response.output_text.done", numbers.next(),
                                   item + ",\"logprobs\":[],\"text\":\"" + std::string(reply.content) + "\""));
    frames.closing.push_back(
        event("response.content_part.done", numbers.next(), item + ",\"part\":" + text_part(reply.content)));
    frames.closing.push_back(
        event("response.output_item.done", numbers.next(), "\"output_index\":0,\"item\":" + whole_output(reply)));
}

class responses_dialect final : public mock_dialect {
public:
    std::string_view name() const noexcept override { return "openai-responses"; }

    bool claims(std::string_view path) const noexcept override { return path.ends_with("/responses"); }

    mock_failure bad_key(std::string_view key) const override { return openai_mock_dialect().bad_key(key); }

    std::optional<std::string> document(const mock_request&, std::span<const std::string>) const override {
        return std::nullopt;
    }

    mock_call read(const mock_request& request) const override {
        mock_call call;
        call.include_usage = true;
        const bool object = json::for_each_member(request.body, [&call](std::string_view key, std::string_view value) {
            if (key == "model") {
                call.model = json::string_body(value);
            } else if (key == "input") {
                call.messages = value;
            } else if (key == "stream") {
                call.stream = value == "true";
            } else if (key == "max_output_tokens") {
                call.max_tokens = words::number_in(value);
            }
        });
        call.valid = object && words::printable(call.model) && !call.model.empty();
        return call;
    }

    std::optional<mock_failure> check(const mock_request& request, const mock_call&) const override {
        return check_openai_responses(request.body);
    }

    bool strict() const noexcept override { return false; }

    bool ends_with_tool_result(std::string_view messages) const override {
        bool result = false;
        json::for_each_element(messages, [&result](std::string_view item) {
            result = false;
            json::for_each_member(item, [&result](std::string_view key, std::string_view value) {
                result |= key == "type" && value == "\"function_call_output\"";
            });
        });
        return result;
    }

    std::string last_user_text(std::string_view messages) const override {
        if (messages.starts_with("\"")) {
            std::string text(json::string_body(messages));
            words::make_printable(text);
            return text;
        }
        return openai_mock_dialect().last_user_text(messages);
    }

    std::uint32_t tool_tokens(const mock_reply& reply) const override {
        return openai_mock_dialect().tool_tokens(reply);
    }

    bool repeats_text() const noexcept override { return true; }

    std::string plain_body(const mock_reply& reply) const override {
        return response(reply, whole_output(reply), true);
    }

    mock_frames frames(const mock_reply& reply) const override {
        mock_frames frames;
        numbering numbers;
        for (const auto* type : {"response.created", "response.in_progress"}) {
            frames.opening.push_back(event(type, numbers.next(), "\"response\":" + response(reply, "", false)));
        }
        for (std::uint32_t i = 0; i < reply.tools; ++i) {
            call_tool(reply, i, numbers, frames);
        }
        if (reply.tools == 0) {
            say_text(reply, numbers, frames);
        }
        // What `no-done` leaves out.
        frames.end_mark = event(reply.cut_off ? "response.incomplete" : "response.completed", numbers.next(),
                                "\"response\":" + response(reply, whole_output(reply), true));
        return frames;
    }

    std::string fields(const mock_settings& settings) const override { return openai_fields(settings); }

    std::string error_body(const mock_settings& settings, std::string_view model) const override {
        return openai_mock_dialect().error_body(settings, model);
    }

    std::string error_event(std::string_view code) const override {
        std::string text = "event: error\ndata: {\"type\":\"error\",\"sequence_number\":99,\"code\":";
        json::append_quoted(text, code.empty() ? "server_error" : code);
        text.append(",\"message\":\"The server had an error while processing your request. Sorry about that!\"");
        return text.append(",\"param\":null}\n\n");
    }

    std::string failure_body(const mock_failure& failure) const override {
        return openai_mock_dialect().failure_body(failure);
    }
};

}  // namespace

const mock_dialect& responses_mock_dialect() noexcept {
    static const responses_dialect dialect;
    return dialect;
}

}  // namespace concurred::bench
