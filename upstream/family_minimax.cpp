// What only MiniMax does: thinking in tags at the front of the content, or in details that grow from chunk to chunk.

#include "gateway/http/json_string.hpp"
#include "upstream/family_answer.hpp"
#include "upstream/json_writer.hpp"

namespace concurred::upstream {

namespace {

using http::json_member;
using http::json_reader;

constexpr std::string_view default_item = R"("type":"reasoning.text","format":"MiniMax-response-v1","index":0)";

std::string quoted(std::string_view text) {
    std::string out;
    http::append_json_string(out, text);
    return out;
}

/// The texts of `reasoning_details`, and the other members of their first item.
std::string text_of_details(const json_part& details, std::string& front) {
    std::string text;
    json_reader items(details.is_array() ? details.raw : std::string_view("[]"));
    while (const json_member* item = items.next()) {
        const bool first = front.empty();
        json_writer w(front);
        json_reader members(item->value);
        while (const json_member* m = members.next()) {
            if (m->key == "text") {
                text += json_part(*m).text();
            } else if (first) {
                w.member(m->key, m->value);
            }
        }
    }
    return text;
}

}  // namespace

/// Says new reasoning.
void family_answer::think(std::string_view text, choice& c, unsigned index, std::string& out) {
    if (text.empty()) {
        return;
    }
    c.reasoning += text;
    c.reasoning_open = content_seen_ = c.spoke = true;
    output_octets_ += text.size();
    say("reasoning_content", quoted(text), index, out);
}

// The whole of the reasoning, once, in the form in which it is to be sent back.
void family_answer::end_thinking(choice& c, unsigned index, std::string& out) {
    if (!c.reasoning_open) {
        return;
    }
    c.reasoning_open = false;
    std::string item = "[{";
    json_writer w(item);
    w.raw(c.details_front.empty() ? default_item : std::string_view(c.details_front));
    w.text_member("text", c.reasoning).close('}').close(']');
    say("reasoning_details", item, index, out);
}

void family_answer::say_content(std::string_view text, choice& c, unsigned index, std::string& out) {
    if (text.empty()) {
        return;
    }
    end_thinking(c, index, out);
    output_octets_ += text.size();
    content_seen_ = c.spoke = true;
    say("content", quoted(text), index, out);
}

// What could still have become a tag is none.
void family_answer::finish_minimax(choice& c, unsigned index, std::string& out) {
    std::string reasoning;
    std::string content;
    c.thinking.finish(reasoning, content);
    think(reasoning, c, index, out);
    say_content(content, c, index, out);
    end_thinking(c, index, out);
}

void family_answer::stream_minimax(const said& d, choice& c, unsigned index, std::string& out) {
    if (!c.begun) {
        c.begun = true;
        open(out, index);
        out += R"("role":"assistant","content":"")";
        close(out, {}, {});
    }
    if (c.thinking.passes() && !c.reasoning_open && !d.details && !d.calls && !d.reasoning_content) {
        only_text_ = d.content;  // from here on events of this shape need no reading
        only_reasoning_ = false;
    }
    std::string content = d.content.text();
    const std::string told = text_of_details(d.details, c.details_front);
    if (!told.empty()) {
        // Cumulative: what is new stands behind what is known.
        const bool grows = std::string_view(told).starts_with(c.reasoning);
        think(grows ? std::string_view(told).substr(c.reasoning.size()) : std::string_view(told), c, index, out);
    } else if (d.reasoning_content.is_string()) {
        think(d.reasoning_content.text(), c, index, out);
    } else {
        std::string reasoning;
        std::string rest;
        c.thinking.feed(content, reasoning, rest);
        think(reasoning, c, index, out);
        content = std::move(rest);
    }
    say_content(content, c, index, out);
    if (d.calls.is_array() && json_reader(d.calls.raw).next() != nullptr) {
        end_thinking(c, index, out);
        open(out, index);
        out += "\"tool_calls\":[";
        output_octets_ += c.calls.append(out, d.calls, calls_id(index), true);
        out += ']';
        close(out, {}, {});
        content_seen_ = c.spoke = true;
    }
}

}  // namespace concurred::upstream
