#include "upstream/anthropic_answer.hpp"
#include "upstream/json_writer.hpp"

namespace concurred::upstream {

namespace {

/// The content blocks of a message, sorted into the places that OpenAI has for them.
class message_parts {
public:
    message_parts(std::string_view answer_tool, json_part content) : answer_tool_(answer_tool) {
        http::json_reader blocks(content.raw);
        while (const http::json_member* m = blocks.next()) {
            take(m->value);
        }
    }

    void write(json_writer& w, json_part refusal) const {
        w.open('{').text_member("role", "assistant").key("content");
        if (text_.empty()) {
            w.raw("null");
        } else {
            w.out().append("\"").append(text_).append("\"");
        }
        w.member("refusal", refusal.is_string() ? refusal.raw : "null");
        if (!reasoning_.empty()) {
            w.key("reasoning_content");
            w.out().append("\"").append(reasoning_).append("\"");
        }
        list(w, "reasoning_details", details_);
        list(w, "annotations", annotations_);
        list(w, "tool_calls", calls_);
        w.close('}');
    }

    [[nodiscard]] bool answered_by_tool() const noexcept { return answered_by_tool_ && calls_.empty(); }
    [[nodiscard]] std::uint64_t octets() const noexcept { return text_.size() + reasoning_.size() + calls_.size(); }

private:
    static void list(json_writer& w, std::string_view name, const std::string& entries) {
        if (!entries.empty()) {
            w.key(name).open('[').raw(entries).close(']');
        }
    }

    void take(std::string_view block) {
        json_part type;
        json_part text;
        json_part thinking;
        json_part signature;
        json_part data;
        json_part citations;
        read_members(block, {{"type", &type},
                             {"text", &text},
                             {"thinking", &thinking},
                             {"signature", &signature},
                             {"data", &data},
                             {"citations", &citations}});
        if (type.equals("text")) {
            text_ += text.inside();
            cited_.text(text.inside());
            http::json_reader list(citations.raw);
            while (const http::json_member* m = list.next()) {
                cited_.take(json_part(*m));
            }
            cited_.end_block(annotations_);
        } else if (type.equals("thinking")) {
            reasoning_ += thinking.inside();
            json_writer(details_).raw(thought_item(thinking.inside(), signature.inside(), thoughts_++));
        } else if (type.equals("redacted_thinking")) {
            json_writer(details_).raw(redacted_item(data.inside(), thoughts_++));
        } else if (type.equals("tool_use")) {
            take_call(block);
        }
    }

    void take_call(std::string_view block) {
        json_part id;
        json_part name;
        json_part input;
        read_members(block, {{"id", &id}, {"name", &name}, {"input", &input}});
        std::string arguments;
        append_compact(arguments, input.is_object() ? input.raw : "{}");
        if (!answer_tool_.empty() && name.equals(answer_tool_)) {
            answered_by_tool_ = true;
            std::string quoted;
            http::append_json_string(quoted, arguments);
            text_.append(quoted, 1, quoted.size() - 2);
            return;
        }
        json_writer w(calls_);
        w.open('{').member("id", id.is_string() ? id.raw : "\"\"").text_member("type", "function");
        w.key("function").open('{').member("name", name.is_string() ? name.raw : "\"\"");
        w.text_member("arguments", arguments).close('}').close('}');
    }

    std::string_view answer_tool_;
    std::string text_;       // insides of JSON strings
    std::string reasoning_;  // likewise
    std::string details_;
    std::string annotations_;
    std::string calls_;
    anthropic_citations cited_;
    std::uint64_t thoughts_ = 0;
    bool answered_by_tool_ = false;
};

}  // namespace

base::result<std::string> anthropic_answer::whole(std::string_view body) {
    json_part type;
    json_part id;
    json_part model;
    json_part content;
    json_part reason;
    json_part details;
    json_part usage;
    const bool valid = read_members(json_part(body).raw, {{"type", &type},
                                                          {"id", &id},
                                                          {"model", &model},
                                                          {"content", &content},
                                                          {"stop_reason", &reason},
                                                          {"stop_details", &details},
                                                          {"usage", &usage}});
    if (valid && type.equals("error")) {
        error_event_ = body;
    }
    if (!valid || !content.is_array()) {
        return base::upstream_error(base::errc::upstream_error, "The provider's answer is no message of its API.");
    }
    if (usage.is_object()) {
        counts_.take(usage.raw);
        long_cache_writes_ = counts_.long_cache_writes();
        usage_ = counts_.counts();
    }
    const message_parts parts(answer_tool_, content);
    output_octets_ = parts.octets();
    const bool refused = reason.equals("refusal");
    const std::string_view finish = finish_reason_of(reason.raw);

    std::string out;
    json_writer w(out);
    w.open('{').member("id", id.is_string() ? id.raw : "\"\"").text_member("object", "chat.completion");
    w.member("created", std::to_string(created_)).key("model");
    if (model.is_string()) {
        w.raw(model.raw);
    } else {
        w.text(answer_model_);
    }
    w.key("choices").open('[').open('{').number_member("index", 0).key("message");
    parts.write(w, refused ? member_of(details.raw, "explanation") : json_part());
    w.member("logprobs", "null");
    w.text_member("finish_reason", parts.answered_by_tool() && finish == "tool_calls" ? "stop" : finish);
    w.close('}').close(']').key("usage");
    append_usage(out, counts_.counts(), true);
    w.close('}');
    done_ = content_seen_ = true;
    return out;
}

}  // namespace concurred::upstream
