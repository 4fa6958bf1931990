#include "upstream/messages_words.hpp"

#include "upstream/json_writer.hpp"

namespace concurred::upstream {

std::string_view stop_reason_of(json_part finish_reason) noexcept {
    if (finish_reason.equals("tool_calls") || finish_reason.equals("function_call")) {
        return "tool_use";
    }
    if (finish_reason.equals("length")) {
        return "max_tokens";
    }
    return finish_reason.equals("content_filter") ? "refusal" : "end_turn";
}

void append_anthropic_usage(std::string& out, const base::token_counts& counts) {
    json_writer w(out);
    w.open('{').number_member("input_tokens", counts.prompt);
    w.number_member("cache_creation_input_tokens", counts.cache_write);
    w.number_member("cache_read_input_tokens", counts.cache_read);
    w.number_member("output_tokens", counts.output());
    if (counts.reasoning != 0) {
        w.key("output_tokens_details").open('{').number_member("thinking_tokens", counts.reasoning).close('}');
    }
    w.close('}');
}

std::string thinking_block_of(std::string_view item) {
    json_part type;
    json_part text;
    json_part signature;
    json_part data;
    read_members(item, {{"type", &type}, {"text", &text}, {"signature", &signature}, {"data", &data}});
    std::string out;
    json_writer w(out);
    if (type.equals("reasoning.text") && text.is_string()) {
        w.open('{').text_member("type", "thinking").member("thinking", text.raw);
        w.member("signature", signature.is_string() ? signature.raw : "\"\"").close('}');
    } else if (type.equals("reasoning.encrypted") && data.is_string()) {
        w.open('{').text_member("type", "redacted_thinking").member("data", data.raw).close('}');
    }
    return out;
}

namespace {

void append_thoughts(json_writer& w, json_part details, json_part reasoning) {
    bool any = false;
    if (details.is_array()) {
        http::json_reader items(details.raw);
        while (const http::json_member* m = items.next()) {
            if (const std::string block = thinking_block_of(m->value); !block.empty()) {
                w.raw(block);
                any = true;
            }
        }
    }
    if (!any && reasoning.is_string() && !reasoning.is_empty_string()) {
        w.open('{').text_member("type", "thinking").member("thinking", reasoning.raw).text_member("signature", "");
        w.close('}');
    }
}

void append_call(json_writer& w, std::string_view call) {
    json_part id;
    json_part function;
    json_part name;
    json_part arguments;
    read_members(call, {{"id", &id}, {"function", &function}});
    read_members(function.raw, {{"name", &name}, {"arguments", &arguments}});
    const std::string input = arguments.text();
    w.open('{').text_member("type", "tool_use").member("id", id.is_string() ? id.raw : "\"\"");
    w.member("name", name.is_string() ? name.raw : "\"\"").key("input");
    if (http::is_json_object(input)) {
        w.raw(json_part(input).raw);
    } else {
        w.raw("{}");
    }
    w.close('}');
}

}  // namespace

void append_content_blocks(std::string& out, std::string_view message) {
    json_part content;
    json_part refusal;
    json_part reasoning;
    json_part reasoning_openrouter;
    json_part details;
    json_part calls;
    read_members(message, {{"content", &content},
                           {"refusal", &refusal},
                           {"reasoning_content", &reasoning},
                           {"reasoning", &reasoning_openrouter},
                           {"reasoning_details", &details},
                           {"tool_calls", &calls}});
    json_writer w(out);
    append_thoughts(w, details, reasoning.is_string() ? reasoning : reasoning_openrouter);
    for (const json_part text : {content, refusal}) {
        if (text.is_string() && !text.is_empty_string()) {
            w.open('{').text_member("type", "text").member("text", text.raw).close('}');
        }
    }
    if (calls.is_array()) {
        http::json_reader list(calls.raw);
        while (const http::json_member* m = list.next()) {
            append_call(w, m->value);
        }
    }
}

}  // namespace concurred::upstream
