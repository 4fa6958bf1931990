#include "gateway/http/json_string.hpp"
#include "upstream/family_answer.hpp"
#include "upstream/family_usage.hpp"
#include "upstream/json_writer.hpp"
#include "upstream/provider_error.hpp"

#include <chrono>

namespace concurred::upstream {

namespace {

using http::json_member;
using http::json_reader;

}  // namespace

base::result<std::string> family_answer::whole(std::string_view body) {
    json_part choices;
    json_part usage;
    if (!http::is_json_object(body)) {
        return base::upstream_error(base::errc::upstream_error, "The provider '" + std::string(policy().provider) +
                                                                    "' sent an answer that is no JSON object.");
    }
    std::string compact;
    append_compact(compact, body);
    const bool fine = take_head(compact, choices, usage);
    if (!fine || !choices.is_array()) {
        error_event_ = compact;
        return error_from_answer({.status = 200, .body = compact, .provider = policy().provider},
                                 std::chrono::system_clock::now());
    }
    take_usage(usage);
    // `take_head` says what a chunk is: here it is a whole answer.
    constexpr std::string_view chunk = R"("object":"chat.completion.chunk")";
    head_.replace(head_.find(chunk), chunk.size(), R"("object":"chat.completion")");
    std::string out = "{" + head_ + R"(,"choices":[)";
    json_reader elements(choices.raw);
    while (const json_member* m = elements.next()) {
        append_choice(out, m->value);
    }
    out += ']';
    if (!figures_.empty()) {
        out.append(",\"usage\":").append(figures_);
    }
    out += '}';
    done_ = content_seen_ = true;
    return out;
}

void family_answer::append_choice(std::string& out, std::string_view json) {
    json_part index;
    json_part message;
    json_part reason;
    json_part logprobs;
    read_members(json, {{"index", &index}, {"message", &message}, {"finish_reason", &reason}, {"logprobs", &logprobs}});
    choice c;
    json_writer w(out);
    const auto at = static_cast<unsigned>(index.count() % 128);
    w.open('{').number_member("index", at).key("message").open('{');
    append_message(out, read_said(message.raw, policy(), false), c, at);
    w.close('}').member("logprobs", logprobs ? logprobs.raw : std::string_view("null"));
    w.key("finish_reason");
    w.raw(c.calls.any() && reason.equals("stop") ? std::string_view("\"tool_calls\"")
          : reason                               ? reason.raw
                                                 : std::string_view("null"));
    w.close('}');
}

void family_answer::append_message(std::string& out, const said& m, choice& c, unsigned index) {
    json_writer w(out);
    w.text_member("role", "assistant");
    std::string reasoning = m.reasoning_content.text();
    std::string content;
    std::string details;
    if (policy().minimax && m.content.is_string()) {
        std::string thought;
        const std::string text = m.content.text();
        c.thinking.feed(text, thought, content);
        c.thinking.finish(thought, content);
        // Now and then the opening tag is missing.
        if (const std::size_t end = content.find("</think>");
            thought.empty() && reasoning.empty() && end != std::string::npos) {
            c.thinking = {};
            content.insert(0, "<think>");
            const std::string tagged = std::exchange(content, {});
            c.thinking.feed(tagged, thought, content);
            c.thinking.finish(thought, content);
        }
        reasoning = reasoning.empty() ? thought : reasoning;
        if (!m.details && !reasoning.empty()) {
            json_writer(details).open('{').text_member("type", "reasoning.text").text_member("text", reasoning);
            json_writer(details).text_member("format", "MiniMax-response-v1").number_member("index", 0).close('}');
        }
    }
    output_octets_ += reasoning.size();
    w.key("content");
    if (policy().minimax) {
        output_octets_ += content.size();
        content.empty() ? w.raw("null") : w.text(content);
    } else if (m.content.has_text() || m.content.is_array()) {
        output_octets_ += m.content.raw.size() - 2;
        w.raw(m.content.raw);
    } else {
        w.raw(m.content.is_empty_string() && !m.calls ? std::string_view("\"\"") : std::string_view("null"));
    }
    if (m.others.find("\"refusal\":") == std::string::npos) {
        w.member("refusal", "null");
    }
    if (!m.others.empty()) {
        w.raw(m.others);
    }
    if (!reasoning.empty()) {
        w.text_member("reasoning_content", reasoning);
    }
    if (m.details.is_array()) {
        w.member("reasoning_details", m.details.raw);
    } else if (!details.empty()) {
        w.key("reasoning_details").open('[').raw(details).close(']');
    }
    if (m.calls.is_array() && json_reader(m.calls.raw).next() != nullptr) {
        w.key("tool_calls").open('[').raw("");
        output_octets_ += c.calls.append(out, m.calls, calls_id(index), false);
        w.close(']');
    }
}

}  // namespace concurred::upstream
