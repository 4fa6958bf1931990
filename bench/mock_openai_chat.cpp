#include "bench/mock_openai_chat.hpp"

#include "bench/mock_json.hpp"
#include "bench/mock_openai_errors.hpp"
#include "bench/mock_template.hpp"
#include "bench/mock_words.hpp"

namespace concurred::bench {

bool under_prefix(std::string_view path, std::string_view name) noexcept {
    return path.size() > name.size() + 2 && path[0] == '/' && path.substr(1).starts_with(name) &&
           path[name.size() + 1] == '/';
}

std::string openai_models(std::span<const std::string> models) {
    std::string text = "{\"object\":\"list\",\"data\":[";
    const char* separator = "";
    for (const auto& model : models) {
        text.append(separator).append("{\"id\":");
        json::append_quoted(text, model);
        text.append(",\"object\":\"model\",\"created\":1700000000,\"owned_by\":\"mock\"}");
        separator = ",";
    }
    return text.append("]}");
}

std::string openai_fields(const mock_settings& settings) {
    std::string text = "x-request-id: req_mock";
    text += mock_stamp::number_mark;
    text.append("\r\nopenai-processing-ms: 1\r\nopenai-version: 2020-10-01\r\n");
    if (settings.ratelimits) {
        text.append(
            "x-ratelimit-limit-requests: 10000\r\nx-ratelimit-limit-tokens: 200000\r\n"
            "x-ratelimit-remaining-requests: 9999\r\nx-ratelimit-remaining-tokens: 199984\r\n"
            "x-ratelimit-reset-requests: 6ms\r\nx-ratelimit-reset-tokens: 4ms\r\n");
    }
    return text;
}

bool openai_chat_dialect::claims(std::string_view path) const noexcept {
    return path.ends_with("/chat/completions");
}

bool openai_chat_dialect::owns(const mock_request&) const noexcept {
    return true;
}

mock_failure openai_chat_dialect::bad_key(std::string_view key) const {
    return key.empty()
               ? mock_failure{401,
                              "You didn't provide an API key. You need to provide your API key in an Authorization "
                              "header using Bearer auth (i.e. Authorization: Bearer YOUR_KEY)."}
               : mock_failure{401,
                              "Incorrect API key provided: " + std::string(key) +
                                  ". You can find your API key at https://platform.openai.com/account/api-keys.",
                              "invalid_api_key"};
}

std::optional<std::string> openai_chat_dialect::document(const mock_request& request,
                                                         std::span<const std::string> models) const {
    return request.method == "GET" && request.path.ends_with("/models") ? std::optional(openai_models(models))
                                                                        : std::nullopt;
}

mock_call openai_chat_dialect::read(const mock_request& request) const {
    mock_call call;
    const bool object = json::for_each_member(request.body, [&call](std::string_view key, std::string_view value) {
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
            call.max_tokens = words::number_in(value);
        }
    });
    call.valid = object && words::printable(call.model) && !call.model.empty();
    return call;
}

bool openai_chat_dialect::ends_with_tool_result(std::string_view messages) const {
    bool tool = false;
    json::for_each_element(messages, [&tool](std::string_view message) {
        json::for_each_member(message, [&tool](std::string_view key, std::string_view value) {
            tool = key == "role" ? value == "\"tool\"" : tool;
        });
    });
    return tool;
}

std::string openai_chat_dialect::last_user_text(std::string_view messages) const {
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
    words::make_printable(text);
    return text;
}

std::uint32_t openai_chat_dialect::tool_tokens(const mock_reply& reply) const {
    std::size_t events = reply.tools;
    for (std::uint32_t i = 0; i < reply.tools; ++i) {
        events += words::pieces(words::escaped(words::tool_arguments(reply, i)), reply.chunk).size();
    }
    return static_cast<std::uint32_t>(events);
}

std::string openai_chat_dialect::fields(const mock_settings& settings) const {
    return openai_fields(settings);
}

std::string openai_chat_dialect::error_body(const mock_settings& settings, std::string_view model) const {
    return openai_error_body(settings.status, settings.code, model);
}

std::string openai_chat_dialect::error_event(std::string_view code) const {
    return "data: " +
           openai_error("The server had an error while processing your request. Sorry about that!", "server_error",
                        code) +
           "\n\n";
}

std::string openai_chat_dialect::failure_body(const mock_failure& failure) const {
    return openai_error(failure.message, "invalid_request_error", failure.code, failure.param);
}

std::string_view openai_chat_dialect::finish_reason(const mock_reply& reply) noexcept {
    return reply.tools > 0 ? "tool_calls" : reply.cut_off ? "length" : "stop";
}

std::string openai_chat_dialect::tool_calls(const mock_reply& reply, std::string_view prefix) {
    std::string text = "[";
    for (std::uint32_t i = 0; i < reply.tools; ++i) {
        text.append(i == 0 ? "{\"id\":\"" : ",{\"id\":\"").append(words::numbered(prefix, i));
        text.append("\",\"type\":\"function\",\"function\":{\"name\":\"").append(reply.tool_name);
        text.append("\",\"arguments\":\"").append(words::escaped(words::tool_arguments(reply, i))).append("\"}}");
    }
    return text.append("]");
}

void openai_chat_dialect::cut_at_content(std::string_view event, mock_frames& frames) {
    constexpr std::string_view mark = R"("content":"")";
    const std::size_t cut = event.find(mark) + mark.size() - 1;
    frames.before_piece = event.substr(0, cut);
    frames.after_piece = event.substr(cut);
}

}  // namespace concurred::bench
