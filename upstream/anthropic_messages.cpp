#include "upstream/anthropic_messages.hpp"

#include "crypto/digest.hpp"
#include "crypto/encoding.hpp"
#include "upstream/field_refusal.hpp"
#include "upstream/json_writer.hpp"

#include <algorithm>

namespace concurred::upstream {

namespace {

using base::result;

// A turn must say something, and the first one must be the user's.
constexpr std::string_view placeholder = R"({"type":"text","text":"."})";
constexpr std::size_t hash_chars = 32;

bool is_anthropic_format(json_part format) {
    return !format || format.text().starts_with("anthropic-");
}

// The arguments of a call as the object that Anthropic wants. A model that wrote no proper JSON wrote it all the same.
void append_input(json_writer& w, const std::string& arguments) {
    if (arguments.find_first_not_of(" \t\r\n") == std::string::npos) {
        w.raw("{}");
    } else if (http::is_json_object(arguments)) {
        w.raw(json_part(arguments).raw);
    } else {
        w.open('{').text_member("_raw", arguments).close('}');
    }
}

}  // namespace

std::string anthropic_tool_id(std::string_view id) {
    const bool plain = std::all_of(id.begin(), id.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
    });
    if (plain) {
        return std::string(id);
    }
    const crypto::digest256 hash = crypto::sha256_hasher()(id);
    return "call_" +
           crypto::hex_encode({reinterpret_cast<const char*>(hash.data()), hash.size()}).substr(0, hash_chars);
}

result<void> anthropic_messages::take(std::string_view messages) {
    http::json_reader list(messages);
    for (std::size_t i = 0; const http::json_member* m = list.next(); ++i) {
        const std::string where = at_index("messages", i);
        if (m->kind != http::json_kind::object) {
            return refuse_field(where, "must be an object.");
        }
        if (auto ok = take_message(m->value, where); !ok) {
            return ok;
        }
    }
    if (side_ == side::assistant) {
        trim_prefill();
    }
    end_turn();
    if (turns_.empty()) {
        begin(side::user);
        end_turn();
    }
    return {};
}

result<void> anthropic_messages::take_message(std::string_view message, const std::string& where) {
    json_part role;
    json_part content;
    json_part cache;
    read_members(message, {{"role", &role}, {"content", &content}, {"cache_control", &cache}});
    const std::string content_field = where + ".content";
    if (role.equals("system") || role.equals("developer")) {
        return parts_.append(system_, content, content_field, anthropic_parts::allowed::text, cache);
    }
    if (role.equals("user")) {
        begin(side::user);
        return parts_.append(blocks_, content, content_field, anthropic_parts::allowed::all, cache);
    }
    if (role.equals("assistant")) {
        return take_assistant(message, content, where, cache);
    }
    if (role.equals("tool")) {
        return take_tool_result(message, content, where, cache);
    }
    if (role.equals("function")) {
        return refuse_field(where + ".role", "'function' is deprecated: send 'tool' with a tool_call_id.");
    }
    return refuse_field(where + ".role", "must be 'system', 'developer', 'user', 'assistant' or 'tool'.");
}

result<void> anthropic_messages::take_assistant(std::string_view message, json_part content, const std::string& where,
                                                json_part cache_control) {
    json_part calls;
    json_part details;
    json_part refusal;
    json_part function_call;
    json_part audio;
    read_members(message, {{"tool_calls", &calls},
                           {"reasoning_details", &details},
                           {"refusal", &refusal},
                           {"function_call", &function_call},
                           {"audio", &audio}});
    if (function_call) {
        return refuse_field(where + ".function_call", "is deprecated: send 'tool_calls'.");
    }
    if (audio) {
        return refuse_field(where + ".audio", "cannot be sent to models of Anthropic.");
    }
    begin(side::assistant);
    take_thoughts(details);
    const json_part for_text = calls ? json_part() : cache_control;
    auto ok = parts_.append(blocks_, content, where + ".content", anthropic_parts::allowed::text, for_text);
    if (!ok) {
        return ok;
    }
    if (refusal.is_string() && !content) {
        append_text_block(blocks_, refusal, for_text);
    }
    return take_tool_calls(calls, where + ".tool_calls");
}

// Signed thoughts go back byte for byte; what has no signature of Anthropic's cannot be checked there and is left out.
void anthropic_messages::take_thoughts(json_part details) {
    if (!details.is_array()) {
        return;
    }
    http::json_reader items(details.raw);
    while (const http::json_member* m = items.next()) {
        json_part type;
        json_part text;
        json_part signature;
        json_part data;
        json_part format;
        read_members(
            m->value,
            {{"type", &type}, {"text", &text}, {"signature", &signature}, {"data", &data}, {"format", &format}});
        if (!is_anthropic_format(format)) {
            continue;
        }
        json_writer w(blocks_);
        if (type.equals("reasoning.text") && signature.is_string() && !signature.is_empty_string()) {
            w.open('{').text_member("type", "thinking").member("thinking", text.is_string() ? text.raw : "\"\"");
            w.member("signature", signature.raw).close('}');
            last_thought_ = true;
        } else if (type.equals("reasoning.encrypted") && data.is_string()) {
            w.open('{').text_member("type", "redacted_thinking").member("data", data.raw).close('}');
            last_thought_ = true;
        }
    }
}

result<void> anthropic_messages::take_tool_calls(json_part calls, const std::string& where) {
    if (!calls) {
        return {};
    }
    if (!calls.is_array()) {
        return refuse_field(where, "must be an array.");
    }
    http::json_reader list(calls.raw);
    for (std::size_t i = 0; const http::json_member* m = list.next(); ++i) {
        if (auto ok = take_call(m->value, at_index(where, i)); !ok) {
            return ok;
        }
    }
    return {};
}

result<void> anthropic_messages::take_call(std::string_view call, const std::string& where) {
    json_part id;
    json_part type;
    json_part function;
    read_members(call, {{"id", &id}, {"type", &type}, {"function", &function}});
    if (type && !type.equals("function")) {
        return refuse_field(where + ".type", "must be 'function' for models of Anthropic.");
    }
    json_part name;
    json_part arguments;
    read_members(function.raw, {{"name", &name}, {"arguments", &arguments}});
    if (!id.is_string() || id.is_empty_string()) {
        return refuse_field(where + ".id", "must be a non-empty string.");
    }
    if (!name.is_string() || name.is_empty_string()) {
        return refuse_field(where + ".function.name", "must be a non-empty string.");
    }
    if (arguments && !arguments.is_string()) {
        return refuse_field(where + ".function.arguments", "must be a string that holds JSON.");
    }
    const std::string tool_id = anthropic_tool_id(id.text());
    json_writer w(blocks_);
    w.open('{').text_member("type", "tool_use").text_member("id", tool_id).member("name", name.raw).key("input");
    append_input(w, arguments.text());
    w.close('}');
    call_ids_.push_back(tool_id);
    in_tool_loop_ = true;
    std::string function_name = name.text();
    if (std::find(called_.begin(), called_.end(), function_name) == called_.end()) {
        called_.push_back(std::move(function_name));
    }
    return {};
}

result<void> anthropic_messages::take_tool_result(std::string_view message, json_part content, const std::string& where,
                                                  json_part cache_control) {
    json_part id;
    json_part is_error;
    read_members(message, {{"tool_call_id", &id}, {"is_error", &is_error}});
    if (!id.is_string() || id.is_empty_string()) {
        return refuse_field(where + ".tool_call_id", "must be a non-empty string.");
    }
    begin(side::user);
    in_tool_loop_ = true;
    const std::string tool_id = anthropic_tool_id(id.text());
    const auto called = std::find(call_ids_.begin(), call_ids_.end(), tool_id);
    tool_result r{static_cast<std::size_t>(called - call_ids_.begin()), {}};
    json_writer w(r.block);
    w.open('{').text_member("type", "tool_result").text_member("tool_use_id", tool_id);
    if (content.is_string()) {
        w.member("content", content.raw);
    } else if (content) {
        std::string blocks;
        const auto ok = parts_.append(blocks, content, where + ".content", anthropic_parts::allowed::text_and_image);
        if (!ok) {
            return ok;
        }
        w.key("content").open('[');
        r.block += blocks;
        w.close(']');
    }
    if (is_error.is_true()) {
        w.member("is_error", "true");
    }
    if (cache_control) {
        w.member("cache_control", cache_control.raw);
    }
    w.close('}');
    results_.push_back(std::move(r));
    return {};
}

void anthropic_messages::begin(side of) {
    if (side_ == of) {
        return;
    }
    end_turn();
    if (of == side::assistant) {
        if (turns_.empty()) {
            begin(side::user);
            end_turn();
        }
        call_ids_.clear();
        last_thought_ = false;
        in_tool_loop_ = false;
    }
    side_ = of;
}

void anthropic_messages::end_turn() {
    const side ended = std::exchange(side_, side::none);
    if (ended == side::none || (ended == side::assistant && blocks_.empty())) {
        return;  // an assistant that said nothing had no turn
    }
    std::stable_sort(results_.begin(), results_.end(),
                     [](const tool_result& a, const tool_result& b) { return a.order < b.order; });
    json_writer w(turns_);
    w.open('{').text_member("role", ended == side::user ? "user" : "assistant").key("content").open('[');
    for (const tool_result& r : results_) {
        w.raw(r.block);
    }
    if (!blocks_.empty()) {
        w.raw(blocks_);
    } else if (results_.empty()) {
        w.raw(placeholder);
    }
    w.close(']').close('}');
    results_.clear();
    blocks_.clear();
}

// Text to go on from may not end with white space.
void anthropic_messages::trim_prefill() {
    constexpr std::string_view end = "\"}";
    if (!blocks_.ends_with(end)) {
        return;
    }
    std::size_t keep = blocks_.size() - end.size();
    for (;;) {
        const std::string_view text(blocks_.data(), keep);
        if (text.ends_with(' ')) {
            keep -= 1;
        } else if (text.ends_with("\\n") || text.ends_with("\\t") || text.ends_with("\\r")) {
            // An even number of backslashes before the letter is text, not white space.
            const std::size_t last = text.find_last_not_of('\\', keep - 2);
            if ((keep - 2 - last) % 2 == 0) {
                break;
            }
            keep -= 2;
        } else {
            break;
        }
    }
    blocks_.erase(keep, blocks_.size() - end.size() - keep);
}

}  // namespace concurred::upstream
