#include "bench/mock_answer.hpp"

#include "bench/mock_head.hpp"
#include "bench/mock_json.hpp"
#include "bench/mock_words.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include <algorithm>

namespace concurred::bench {
namespace {

// No character in it needs an escape, so it can be cut anywhere.
constexpr std::string_view filler =
    "The quick brown fox jumps over the lazy dog while the five boxing wizards jump quickly, and nobody minds. ";
constexpr std::size_t content_limit = 64 * 1024 * 1024;
constexpr std::size_t missing_bytes = 512;
// Pieces of reasoning that are shown at most, and of a request that asks for reasoning where settings have none.
constexpr std::uint32_t thoughts_limit = 256;
constexpr std::uint32_t thoughts_usual = 4;

std::string filler_of(std::size_t size) {
    std::string text;
    text.reserve(size + filler.size());
    while (text.size() < size) {
        text.append(filler);
    }
    text.resize(size);
    return text;
}

/// The text that JSON text with escapes stands for.
std::string unescaped(std::string_view escaped) {
    boost::system::error_code failure;
    const auto value = boost::json::parse("\"" + std::string(escaped) + "\"", failure);
    return failure || !value.is_string() ? std::string{} : std::string(value.get_string());
}

std::vector<mock_template> compiled(const std::vector<std::string>& events) {
    return {events.begin(), events.end()};
}

class builder {
public:
    builder(const mock_source& source, const mock_order& order)
        : dialect_(*source.dialect),
          settings_(*source.settings),
          model_(source.model),
          base_url_(source.base_url),
          answer_(std::make_unique<mock_answer>()) {
        answer_->order = order;
        answer_->settings = &settings_;
        answer_->trace = source.trace;
        answer_->close = order.close;
        answer_->stream = (order.stream && !settings_.json_instead) || settings_.sse_instead;
        answer_->extra = settings_.extra_bytes ? extra_answer() : std::string{};
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
        } else if (settings_.status != 0 && (settings_.status != 200 || !settings_.code.empty())) {
            plain(dialect_.error_status(settings_.status), "application/json", dialect_.error_body(settings_, model_));
        } else {
            chat(echo);
        }
        return std::move(answer_);
    }

private:
    void chat(std::string_view echo) {
        const mock_order& order = answer_->order;
        mock_reply reply = known();
        const std::string tool_name = words::escaped(settings_.tool_name);
        const std::string tool_arguments = settings_.tool_echo ? unescaped(echo) : std::string{};
        reply.tool_name = tool_name;
        reply.tool_arguments = tool_arguments;

        std::uint32_t tokens = settings_.tokens;
        if (reply.tools > 0) {
            tokens = dialect_.tool_tokens(reply);
        } else if (settings_.echo) {
            answer_->text = echo;
            cut_text();
            tokens = static_cast<std::uint32_t>(answer_->cuts.size());
        }
        reply.cut_off = reply.tools == 0 && tokens > order.max_tokens;
        tokens = reply.cut_off ? order.max_tokens : tokens;
        reply.tokens = tokens;
        answer_->tokens = tokens;
        const bool whole = reply.tools == 0 && (!answer_->stream || (dialect_.repeats_text() && !settings_.stamp));
        const std::string content = whole ? content_of(tokens) : std::string{};
        reply.content = content;
        if (answer_->stream) {
            answer_->pieces = reply.tools > 0 ? 0 : tokens;
            stream(reply);
        } else {
            plain(200, "application/json", dialect_.plain_body(reply));
        }
    }

    /// What settings and request say of the reply, whatever it says.
    mock_reply known() const {
        const mock_order& order = answer_->order;
        mock_reply reply;
        reply.model = model_;
        reply.shape = order.shape;
        reply.prompt_tokens = settings_.prompt != 0 ? settings_.prompt : order.prompt_tokens;
        reply.cached_tokens = std::min(settings_.cached, reply.prompt_tokens);
        reply.written_tokens = std::min(settings_.cache_write, reply.prompt_tokens - reply.cached_tokens);
        if (order.thoughts != mock_thoughts::none) {
            const bool asked = order.thoughts == mock_thoughts::asked;
            reply.reasoning_tokens = settings_.reasoning == 0 && asked ? thoughts_usual : settings_.reasoning;
            reply.thoughts =
                order.thoughts == mock_thoughts::hidden ? 0 : std::min(reply.reasoning_tokens, thoughts_limit);
        }
        reply.tools = order.after_tool ? 0 : settings_.tool;
        reply.chunk = settings_.chunk;
        reply.with_usage = !settings_.no_usage;
        reply.usage_asked = order.include_usage;
        reply.obfuscation = settings_.obfuscation;
        reply.repeat_last = settings_.repeat_last;
        return reply;
    }

    void plain(unsigned status, std::string_view type, const std::string& text) {
        answer_->stream = false;
        answer_->body = mock_template(text);
        finish_head(head_of(dialect_, settings_, status, type, base_url_), mock_framing::length, answer_->body.size());
    }

    void stream(const mock_reply& reply) {
        const mock_frames frames = dialect_.frames(reply);
        answer_->opening = compiled(frames.opening);
        answer_->closing = compiled(frames.closing);
        std::uint32_t tokens = 0;
        for (const auto& event : frames.scripted) {
            answer_->scripted.emplace_back(event.text);
            answer_->scripted_tokens.push_back(tokens);
            tokens += event.token ? 1U : 0U;
        }
        answer_->scripted_tokens.push_back(tokens);
        answer_->count_from = frames.count_from;
        answer_->total_from = frames.total_from;
        answer_->before_piece = mock_template(frames.before_piece);
        answer_->after_piece = mock_template(frames.after_piece);
        answer_->end_mark = mock_template(settings_.no_done ? std::string{} : frames.end_mark);
        answer_->error_event = mock_template(dialect_.error_event(settings_.code));
        if (!settings_.echo) {
            answer_->text = filler_of(filler.size() + settings_.chunk);
        }
        answer_->first_piece.assign(settings_.huge_line, 'x');
        const mock_framing framing = settings_.truncate        ? mock_framing::length
                                     : answer_->order.http_1_0 ? mock_framing::until_close
                                                               : mock_framing::chunked;
        // A length no stream of a test reaches.
        constexpr std::size_t never_reached = std::size_t{1} << 40;
        finish_head(head_of(dialect_, settings_, 200, dialect_.stream_type(), base_url_), framing, never_reached);
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

std::unique_ptr<mock_answer> make_mock_answer(const mock_source& source, const mock_order& order,
                                              std::string_view echo) {
    return builder(source, order).build(echo);
}

}  // namespace concurred::bench
