#include "bench/mock_answer.hpp"

#include "bench/mock_head.hpp"
#include "bench/mock_json.hpp"

#include <algorithm>

namespace concurred::bench {
namespace {

// No character in it needs an escape, so it can be cut anywhere.
constexpr std::string_view filler =
    "The quick brown fox jumps over the lazy dog while the five boxing wizards jump quickly, and nobody minds. ";
constexpr std::size_t content_limit = 64 * 1024 * 1024;
constexpr std::size_t missing_bytes = 512;

std::string filler_of(std::size_t size) {
    std::string text;
    text.reserve(size + filler.size());
    while (text.size() < size) {
        text.append(filler);
    }
    text.resize(size);
    return text;
}

std::vector<mock_template> compiled(const std::vector<std::string>& events) {
    return {events.begin(), events.end()};
}

class builder {
public:
    builder(const mock_dialect& dialect, const mock_settings& settings, const mock_order& order, std::string_view model,
            std::string_view base_url)
        : dialect_(dialect),
          settings_(settings),
          model_(model),
          base_url_(base_url),
          answer_(std::make_unique<mock_answer>()) {
        answer_->order = order;
        answer_->settings = &settings;
        answer_->close = order.close;
        answer_->stream = (order.stream && !settings.json_instead) || settings.sse_instead;
        answer_->extra = settings.extra_bytes ? extra_answer() : std::string{};
    }

    std::unique_ptr<mock_answer> build(std::string_view echo) {
        if (settings_.garbage) {
            answer_->stream = false;
            answer_->close = true;
            answer_->head = mock_template("\x16\x7f\x80 this is no HTTP \r\n\r\n 200 OK \xff\xfe\r\n");
        } else if (settings_.redirect != 0) {
            plain(settings_.redirect, "text/plain", "moved\n");
        } else if (settings_.html) {
            plain(200, "text/html; charset=utf-8",
                  "<!doctype html><title>mock</title><h1>This is a page, not an answer</h1>\n");
        } else if (settings_.status != 0 && settings_.status != 200) {
            plain(settings_.status, "application/json", dialect_.error_body(settings_.status, settings_.code, model_));
        } else {
            chat(echo);
        }
        return std::move(answer_);
    }

private:
    void chat(std::string_view echo) {
        const mock_order& order = answer_->order;
        mock_reply reply;
        reply.model = model_;
        reply.prompt_tokens = settings_.prompt != 0 ? settings_.prompt : order.prompt_tokens;
        reply.cached_tokens = std::min(settings_.cached, reply.prompt_tokens);
        reply.reasoning_tokens = settings_.reasoning;
        reply.tools = order.after_tool ? 0 : settings_.tool;
        reply.tool_chunk = settings_.chunk;
        reply.with_usage = !settings_.no_usage;
        reply.usage_asked = order.include_usage;
        reply.obfuscation = settings_.obfuscation;

        std::uint32_t tokens = settings_.tokens;
        if (reply.tools > 0) {
            tokens = dialect_.tool_events(reply.tools, reply.tool_chunk);
        } else if (settings_.echo) {
            answer_->text = echo;
            cut_text();
            tokens = static_cast<std::uint32_t>(answer_->cuts.size());
        }
        reply.cut_off = reply.tools == 0 && tokens > order.max_tokens;
        tokens = reply.cut_off ? order.max_tokens : tokens;
        reply.completion_tokens = tokens + settings_.reasoning;
        answer_->tokens = tokens;
        if (answer_->stream) {
            answer_->pieces = reply.tools > 0 ? 0 : tokens;
            stream(reply);
        } else {
            const std::string content = reply.tools > 0 ? std::string{} : content_of(tokens);
            reply.content = content;
            plain(200, "application/json", dialect_.plain_body(reply));
        }
    }

    void plain(unsigned status, std::string_view type, const std::string& text) {
        answer_->stream = false;
        answer_->body = mock_template(text);
        finish_head(head_of(settings_, status, type, base_url_), mock_framing::length, answer_->body.size());
    }

    void stream(const mock_reply& reply) {
        const mock_frames frames = dialect_.frames(reply);
        answer_->opening = compiled(frames.opening);
        answer_->scripted = compiled(frames.scripted);
        answer_->closing = compiled(frames.closing);
        answer_->before_piece = mock_template(frames.before_piece);
        answer_->after_piece = mock_template(frames.after_piece);
        answer_->end_mark = settings_.no_done ? std::string{} : frames.end_mark;
        answer_->error_event = dialect_.error_event();
        if (!settings_.echo) {
            answer_->text = filler_of(filler.size() + settings_.chunk);
        }
        answer_->first_piece.assign(settings_.huge_line, 'x');
        const mock_framing framing = settings_.truncate        ? mock_framing::length
                                     : answer_->order.http_1_0 ? mock_framing::until_close
                                                               : mock_framing::chunked;
        // A length no stream of a test reaches.
        constexpr std::size_t never_reached = std::size_t{1} << 40;
        finish_head(head_of(settings_, 200, "text/event-stream; charset=utf-8", base_url_), framing, never_reached);
    }

    void finish_head(std::string head, mock_framing framing, std::size_t length) {
        answer_->framing = framing;
        answer_->short_body = settings_.truncate;
        answer_->close = answer_->close || settings_.truncate || framing == mock_framing::until_close;
        if (framing == mock_framing::chunked) {
            head.append("transfer-encoding: chunked\r\n");
        } else if (framing == mock_framing::length) {
            const std::size_t more = settings_.truncate ? missing_bytes : 0;
            head.append("content-length: ").append(std::to_string(length + more)).append("\r\n");
        }
        head.append(answer_->order.close || framing == mock_framing::until_close ? "connection: close\r\n" : "");
        answer_->head = mock_template(head.append("\r\n"));
    }

    std::string content_of(std::uint32_t tokens) const {
        if (settings_.echo) {
            return tokens == 0 ? std::string{} : answer_->text.substr(0, answer_->cuts[tokens - 1]);
        }
        const std::size_t size = settings_.pad != 0 ? settings_.pad : std::size_t{tokens} * settings_.chunk;
        return filler_of(std::min(size, content_limit));
    }

    void cut_text() {
        const std::string& text = answer_->text;
        for (std::size_t at = 0; at < text.size();) {
            for (std::uint32_t i = 0; i < settings_.chunk && at < text.size(); ++i) {
                at += json::unit_length(text, at);
            }
            answer_->cuts.push_back(static_cast<std::uint32_t>(at));
        }
    }

    std::string extra_answer() const {
        const std::string body = R"({"id":"chatcmpl-poison","object":"chat.completion","created":0,"model":"poison",)"
                                 R"("choices":[{"index":0,"message":{"role":"assistant","content":"poison"},)"
                                 R"("finish_reason":"stop"}]})";
        return small_answer(mock_stamp{}, 200, "application/json", body, false);
    }

    const mock_dialect& dialect_;
    const mock_settings& settings_;
    std::string_view model_;
    std::string_view base_url_;
    std::unique_ptr<mock_answer> answer_;
};

}  // namespace

std::string_view mock_answer::piece(std::uint32_t index) const noexcept {
    if (index == 0 && !first_piece.empty()) {
        return first_piece;
    }
    if (!cuts.empty()) {
        const std::size_t begin = index == 0 ? 0 : cuts[index - 1];
        return std::string_view(text).substr(begin, cuts[index] - begin);
    }
    const std::size_t begin = std::uint64_t{index} * settings->chunk % filler.size();
    return std::string_view(text).substr(begin, settings->chunk);
}

std::unique_ptr<mock_answer> make_mock_answer(const mock_dialect& dialect, const mock_settings& settings,
                                              const mock_order& order, std::string_view model, std::string_view echo,
                                              std::string_view base_url) {
    return builder(dialect, settings, order, model, base_url).build(echo);
}

}  // namespace concurred::bench
