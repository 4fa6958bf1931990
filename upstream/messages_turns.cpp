#include "upstream/messages_turns.hpp"

#include "crypto/encoding.hpp"
#include "upstream/field_refusal.hpp"
#include "upstream/json_writer.hpp"

namespace concurred::upstream {

namespace {

using base::result;

result<void> append_image(std::string& parts, std::string_view block, const std::string& where) {
    const json_part source = member_of(block, "source");
    json_part type;
    json_part url;
    json_part media;
    json_part data;
    read_members(source.raw, {{"type", &type}, {"url", &url}, {"media_type", &media}, {"data", &data}});
    std::string address;
    if (type.equals("url") && url.is_string()) {
        address = url.text();
    } else if (type.equals("base64") && media.is_string() && data.is_string()) {
        address = "data:" + media.text() + ";base64," + data.text();
    } else {
        return refuse_field(where + ".source", "must be of type 'url' or 'base64' for this model.");
    }
    json_writer w(parts);
    w.open('{').text_member("type", "image_url").key("image_url").open('{').text_member("url", address);
    w.close('}').close('}');
    return {};
}

result<void> append_document(std::string& parts, std::string_view block, const std::string& where) {
    json_part source;
    json_part title;
    read_members(block, {{"source", &source}, {"title", &title}});
    json_part type;
    json_part media;
    json_part data;
    read_members(source.raw, {{"type", &type}, {"media_type", &media}, {"data", &data}});
    json_writer w(parts);
    if (type.equals("text") && data.is_string()) {
        w.open('{').text_member("type", "text").member("text", data.raw).close('}');
        return {};
    }
    if (!type.equals("base64") || !media.is_string() || !data.is_string()) {
        return refuse_field(where + ".source", "must be of type 'base64' or 'text' for this model.");
    }
    w.open('{').text_member("type", "file").key("file").open('{');
    w.member("filename", title.is_string() && !title.is_empty_string() ? title.raw : R"("document.pdf")");
    w.text_member("file_data", "data:" + media.text() + ";base64," + data.text()).close('}').close('}');
    return {};
}

// Blocks that a provider's own tools or thoughts left behind: they mean nothing to another one.
bool is_foreign(json_part type) {
    const std::string name = type.text();
    return name == "thinking" || name == "redacted_thinking" || name == "server_tool_use" ||
           (name.ends_with("_tool_result") && name != "tool_result");
}

}  // namespace

void messages_turns::append_text_part(std::string& parts, json_part text, json_part cache) const {
    json_writer w(parts);
    w.open('{').text_member("type", "text").member("text", text.raw);
    if (cache_markers_ && cache) {
        w.member("cache_control", cache.raw);
    }
    w.close('}');
}

result<void> messages_turns::take_system(json_part system) {
    if (!system || system.is_empty_string()) {
        return {};
    }
    json_writer w(list_);
    if (system.is_string()) {
        w.open('{').text_member("role", "system").member("content", system.raw).close('}');
        return {};
    }
    std::string parts;
    http::json_reader blocks(system.raw);
    for (std::size_t i = 0; const http::json_member* m = blocks.next(); ++i) {
        json_part text;
        json_part cache;
        read_members(m->value, {{"text", &text}, {"cache_control", &cache}});
        if (!text.is_string()) {
            return refuse_field(at_index("system", i, "text"), "must be a string.");
        }
        append_text_part(parts, text, cache);
    }
    if (!system.is_array()) {
        return refuse_field("system", "must be a string or an array of text blocks.");
    }
    if (!parts.empty()) {
        w.open('{').text_member("role", "system").key("content").open('[').raw(parts).close(']').close('}');
    }
    return {};
}

result<void> messages_turns::take(json_part messages) {
    http::json_reader list(messages.raw);
    for (std::size_t i = 0; const http::json_member* m = list.next(); ++i) {
        json_part role;
        json_part content;
        read_members(m->value, {{"role", &role}, {"content", &content}});
        const std::string where = at_index("messages", i);
        if (!content.is_string() && !content.is_array()) {
            return refuse_field(where + ".content", "must be a string or an array of content blocks.");
        }
        result<void> ok = role.equals("user")        ? take_user(content, where + ".content")
                          : role.equals("assistant") ? take_assistant(content, where + ".content")
                          : role.equals("system")
                              ? take_system(content)
                              : refuse_field(where + ".role", "must be 'user', 'assistant' or 'system'.");
        if (!ok) {
            return ok;
        }
    }
    return {};
}

result<void> messages_turns::take_user(json_part content, const std::string& where) {
    json_writer w(list_);
    if (content.is_string()) {
        w.open('{').text_member("role", "user").member("content", content.raw).close('}');
        return {};
    }
    std::string parts;
    http::json_reader blocks(content.raw);
    for (std::size_t i = 0; const http::json_member* m = blocks.next(); ++i) {
        const bool of_tool = member_of(m->value, "type").equals("tool_result");
        const result<void> ok =
            of_tool ? take_result(m->value, parts, at_index(where, i)) : take_part(parts, m->value, at_index(where, i));
        if (!ok) {
            return ok;
        }
    }
    if (!parts.empty()) {
        w.open('{').text_member("role", "user").key("content").open('[').raw(parts).close(']').close('}');
    }
    return {};
}

result<void> messages_turns::take_part(std::string& parts, std::string_view block, const std::string& where) {
    json_part type;
    json_part text;
    json_part cache;
    read_members(block, {{"type", &type}, {"text", &text}, {"cache_control", &cache}});
    if (type.equals("text") && text.is_string()) {
        append_text_part(parts, text, cache);
        return {};
    }
    if (type.equals("image")) {
        return append_image(parts, block, where);
    }
    if (type.equals("document")) {
        return append_document(parts, block, where);
    }
    if (is_foreign(type)) {
        return {};
    }
    return refuse_field(where + ".type", "must be 'text', 'image', 'document' or 'tool_result' for this model.");
}

// A message of a tool holds text alone: images of its result follow as the user's.
result<void> messages_turns::take_result(std::string_view block, std::string& images, const std::string& where) {
    json_part id;
    json_part content;
    json_part is_error;
    read_members(block, {{"tool_use_id", &id}, {"content", &content}, {"is_error", &is_error}});
    if (!id.is_string()) {
        return refuse_field(where + ".tool_use_id", "must be a string.");
    }
    std::string text = is_error.is_true() ? "Error: " : "";
    if (content.is_string()) {
        text += content.text();
    } else {
        http::json_reader blocks(content.raw);
        for (std::size_t i = 0; const http::json_member* m = blocks.next(); ++i) {
            json_part type;
            json_part words;
            read_members(m->value, {{"type", &type}, {"text", &words}});
            if (type.equals("text")) {
                text += words.text();
            } else if (auto ok = take_part(images, m->value, at_index(where + ".content", i)); !ok) {
                return ok;
            }
        }
    }
    json_writer w(list_);
    w.open('{').text_member("role", "tool").member("tool_call_id", id.raw).text_member("content", text).close('}');
    return {};
}

result<void> messages_turns::take_assistant(json_part content, const std::string& where) {
    json_writer w(list_);
    if (content.is_string()) {
        w.open('{').text_member("role", "assistant").member("content", content.raw).close('}');
        return {};
    }
    std::string text;
    std::string calls;
    http::json_reader blocks(content.raw);
    for (std::size_t i = 0; const http::json_member* m = blocks.next(); ++i) {
        json_part type;
        json_part words;
        json_part id;
        json_part name;
        json_part input;
        read_members(m->value, {{"type", &type}, {"text", &words}, {"id", &id}, {"name", &name}, {"input", &input}});
        if (type.equals("text")) {
            text += words.text();
        } else if (type.equals("tool_use") && id.is_string() && name.is_string()) {
            std::string arguments;
            append_compact(arguments, input.is_object() ? input.raw : "{}");
            json_writer c(calls);
            c.open('{').member("id", id.raw).text_member("type", "function").key("function").open('{');
            c.member("name", name.raw).text_member("arguments", arguments).close('}').close('}');
        } else if (!is_foreign(type)) {
            return refuse_field(at_index(where, i, "type"), "must be 'text' or 'tool_use' for this model.");
        }
    }
    if (text.empty() && calls.empty()) {
        return {};
    }
    w.open('{').text_member("role", "assistant").key("content");
    if (text.empty()) {
        w.raw("null");
    } else {
        w.text(text);
    }
    if (!calls.empty()) {
        w.key("tool_calls").open('[').raw(calls).close(']');
    }
    w.close('}');
    return {};
}

}  // namespace concurred::upstream
