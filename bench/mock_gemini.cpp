#include "bench/mock_dialect.hpp"
#include "bench/mock_gemini_check.hpp"
#include "bench/mock_gemini_text.hpp"
#include "bench/mock_json.hpp"
#include "bench/mock_template.hpp"
#include "bench/mock_words.hpp"

#include <algorithm>

namespace concurred::bench {
namespace {

constexpr std::string_view plain_method = ":generateContent";
constexpr std::string_view stream_method = ":streamGenerateContent";
constexpr std::string_view count_method = ":countTokens";
// In `shape`: a stream that did not ask for events is one array.
constexpr std::uint64_t array_shape = 1;

std::string usage(const mock_reply& reply, std::string_view candidates, std::string_view total,
                  std::uint32_t thoughts) {
    const std::string prompt = std::to_string(reply.prompt_tokens);
    std::string text = "\"usageMetadata\":{\"promptTokenCount\":" + prompt;
    text.append(",\"candidatesTokenCount\":").append(candidates).append(",\"totalTokenCount\":").append(total);
    text.append(",\"promptTokensDetails\":[{\"modality\":\"TEXT\",\"tokenCount\":").append(prompt).append("}]");
    if (thoughts > 0) {
        text.append(",\"thoughtsTokenCount\":").append(std::to_string(thoughts));
    }
    if (reply.cached_tokens > 0) {
        const std::string cached = std::to_string(reply.cached_tokens);
        text.append(",\"cachedContentTokenCount\":").append(cached);
        text.append(",\"cacheTokensDetails\":[{\"modality\":\"TEXT\",\"tokenCount\":").append(cached).append("}]");
    }
    return text.append("}");
}

std::string usage(const mock_reply& reply, std::uint64_t candidates, std::uint32_t thoughts) {
    return usage(reply, std::to_string(candidates), std::to_string(reply.prompt_tokens + candidates + thoughts),
                 thoughts);
}

/// A whole answer object. \param finish empty: not the last \param counts empty: no usage
std::string response(const mock_reply& reply, std::string_view parts, std::string_view finish,
                     const std::string& counts) {
    std::string text = "{\"candidates\":[{\"content\":{\"parts\":[" + std::string(parts) + "],\"role\":\"model\"}";
    text.append(finish.empty() ? "" : ",\"finishReason\":\"" + std::string(finish) + "\"").append(",\"index\":0}]");
    text.append(counts.empty() ? "" : ",").append(counts);
    text.append(",\"modelVersion\":\"").append(reply.model).append("\",\"responseId\":\"mock");
    text += mock_stamp::number_mark;
    return text.append("\"}");
}

std::string event(const std::string& object) {
    return "data: " + object + "\r\n\r\n";
}

std::string function_call(const mock_reply& reply, std::uint32_t index) {
    const std::string arguments = words::tool_arguments(reply, index);
    const bool object = json::for_each_member(arguments, [](std::string_view, std::string_view) {});
    std::string text = "{\"functionCall\":{\"name\":\"" + std::string(reply.tool_name) + "\",\"args\":";
    text.append(object ? arguments : "{}").append("}");
    // Of parallel calls only the first carries a signature.
    return text.append(index == 0 ? ",\"thoughtSignature\":\"" + words::signature(reply.tool_name) + "\"}" : "}");
}

std::string thought_part(std::string_view text) {
    return "{\"text\":\"" + std::string(text) + "\",\"thought\":true}";
}

std::string_view finish_reason(const mock_reply& reply) noexcept {
    return reply.cut_off ? "MAX_TOKENS" : "STOP";
}

class gemini_dialect final : public mock_dialect {
public:
    std::string_view name() const noexcept override { return "google"; }

    bool claims(std::string_view path) const noexcept override {
        return path.ends_with(plain_method) || path.ends_with(stream_method);
    }

    bool owns(const mock_request& request) const noexcept override {
        return !request.goog_key.empty() || request.path.starts_with("/v1beta/") ||
               request.path.find("/v1beta/models") != std::string_view::npos;
    }

    std::string_view key_of(const mock_request& request) const noexcept override {
        return request.goog_key.empty() ? query_value(request.query, "key") : request.goog_key;
    }

    mock_failure bad_key(std::string_view key) const override {
        return key.empty() ? mock_failure{403,
                                          "Method doesn't allow unregistered callers (callers without established "
                                          "identity). Please use API Key or other form of API consumer identity to "
                                          "call this API."}
                           : mock_failure{400, "API key not valid. Please pass a valid API key.", "API_KEY_INVALID"};
    }

    std::optional<std::string> document(const mock_request& request,
                                        std::span<const std::string> models) const override {
        if (request.method == "GET" && request.path.ends_with("/models")) {
            return gemini_models(models);
        }
        if (request.method == "POST" && request.path.ends_with(count_method)) {
            return "{\"totalTokens\":" + std::to_string(std::max<std::size_t>(request.body.size() / 4, 1)) + "}";
        }
        return std::nullopt;
    }

    mock_call read(const mock_request& request) const override {
        mock_call call;
        const bool stream = request.path.ends_with(stream_method);
        const bool events = stream && query_value(request.query, "alt") == "sse";
        call.stream = events;
        call.include_usage = true;
        call.shape = stream && !events ? array_shape : 0;
        std::string_view model = request.path.substr(0, request.path.rfind(':'));
        const auto slash = model.rfind("/models/");
        if (slash != std::string_view::npos) {
            call.model = words::escaped(percent_decoded(model.substr(slash + 8)));
        }
        const bool object = json::for_each_member(request.body, [&call](std::string_view key, std::string_view value) {
            if (key == "contents") {
                call.messages = value;
            } else if (key == "generationConfig") {
                read_configuration(value, call);
            }
        });
        call.valid = object && words::printable(call.model) && !call.model.empty();
        return call;
    }

    std::optional<mock_failure> check(const mock_request& request, const mock_call& call) const override {
        return check_gemini(request, call.model);
    }

    bool ends_with_tool_result(std::string_view messages) const override {
        bool result = false;
        json::for_each_element(messages, [&result](std::string_view content) {
            each_part(content, [&result](std::string_view part) {
                result = false;
                json::for_each_member(
                    part, [&result](std::string_view key, std::string_view) { result |= key == "functionResponse"; });
            });
        });
        return result;
    }

    std::string last_user_text(std::string_view messages) const override {
        std::string text;
        json::for_each_element(messages, [&text](std::string_view content) {
            std::string found;
            bool user = true;
            json::for_each_member(content, [&user](std::string_view key, std::string_view value) {
                user = key == "role" ? value == "\"user\"" : user;
            });
            each_part(content, [&found](std::string_view part) {
                json::for_each_member(part, [&found](std::string_view key, std::string_view value) {
                    found.append(key == "text" ? json::string_body(value) : std::string_view{});
                });
            });
            text = user && !found.empty() ? found : text;
        });
        words::make_printable(text);
        return text;
    }

    std::uint32_t tool_tokens(const mock_reply& reply) const override { return reply.tools; }

    std::string plain_body(const mock_reply& reply) const override {
        std::string parts = reply.thoughts > 0 ? thought_part(words::thoughts(reply)) + "," : std::string{};
        for (std::uint32_t i = 0; i < reply.tools; ++i) {
            parts.append(i == 0 ? "" : ",").append(function_call(reply, i));
        }
        if (reply.tools == 0) {
            parts.append("{\"text\":\"").append(reply.content).append("\"}");
        }
        const std::string counts = reply.with_usage ? usage(reply, reply.tokens, reply.reasoning_tokens) : "";
        const std::string text = response(reply, parts, finish_reason(reply), counts);
        return reply.shape == array_shape ? "[" + text + "]" : text;
    }

    mock_frames frames(const mock_reply& reply) const override {
        mock_frames frames;
        const auto counts = [&reply](std::uint64_t candidates, std::uint32_t thoughts) {
            return reply.with_usage ? usage(reply, candidates, thoughts) : std::string{};
        };
        for (std::uint32_t i = 0; i < reply.thoughts; ++i) {
            const std::uint32_t counted = i + 1 == reply.thoughts ? reply.reasoning_tokens : i + 1;
            frames.scripted.push_back(
                {event(response(reply, thought_part(words::thought(reply, i)), "", counts(0, counted)))});
        }
        for (std::uint32_t i = 0; i < reply.tools; ++i) {
            frames.scripted.push_back(
                {event(response(reply, function_call(reply, i), "", counts(i + 1, reply.reasoning_tokens)))});
        }
        const std::string marked = reply.with_usage
                                       ? usage(reply, std::string(1, mock_stamp::count_mark),
                                               std::string(1, mock_stamp::total_mark), reply.reasoning_tokens)
                                       : std::string{};
        const std::string piece = event(response(reply, R"({"text":""})", "", marked));
        const std::size_t cut = piece.find(R"("text":"")") + 8;
        frames.before_piece = piece.substr(0, cut);
        frames.after_piece = piece.substr(cut);
        frames.total_from = std::uint64_t{reply.prompt_tokens} + reply.reasoning_tokens;
        // Text has its signature on an empty last part.
        const std::string proof = reply.tools == 0 && reply.reasoning_tokens > 0
                                      ? R"(,"thoughtSignature":")" + words::signature(reply.model) + "\""
                                      : std::string{};
        frames.closing.push_back(event(response(reply, R"({"text":"")" + proof + "}", finish_reason(reply),
                                                counts(reply.tokens, reply.reasoning_tokens))));
        return frames;
    }

    std::string_view stream_type() const noexcept override { return "text/event-stream"; }

    std::string fields(const mock_settings&) const override {
        return "vary: Origin, X-Origin, Referer\r\nserver-timing: gfet4t7; dur=1\r\n";
    }

    bool retry_in_head() const noexcept override { return false; }

    std::string error_body(const mock_settings& settings, std::string_view) const override {
        return gemini_error_body(settings);
    }

    std::string error_event(std::string_view code) const override { return gemini_error_event(code); }

    std::string failure_body(const mock_failure& failure) const override { return gemini_failure_body(failure); }

private:
    static void read_configuration(std::string_view object, mock_call& call) {
        json::for_each_member(object, [&call](std::string_view key, std::string_view value) {
            if (key == "maxOutputTokens") {
                call.max_tokens = words::number_in(value);
            } else if (key == "thinkingConfig") {
                json::for_each_member(value, [&call](std::string_view field, std::string_view setting) {
                    if (field == "thinkingBudget" && setting == "0") {
                        call.thoughts = mock_thoughts::none;
                    } else if (field == "includeThoughts" && setting == "true" &&
                               call.thoughts != mock_thoughts::none) {
                        call.thoughts = mock_thoughts::asked;
                    }
                });
            }
        });
    }

    template <class Visit>
    static void each_part(std::string_view content, Visit visit) {
        json::for_each_member(content, [&visit](std::string_view key, std::string_view value) {
            if (key == "parts") {
                json::for_each_element(value, visit);
            }
        });
    }
};

}  // namespace

const mock_dialect& gemini_mock_dialect() noexcept {
    static const gemini_dialect dialect;
    return dialect;
}

}  // namespace concurred::bench
