#include "upstream/event_writer.hpp"
#include "upstream/whole_stream.hpp"

namespace concurred::upstream {

namespace {

using http::json_member;
using http::json_reader;

/// A part of a block that comes in a delta of its own.
struct delta_kind {
    std::string_view member;  // of the block
    std::string_view empty;   // what the block begins with there
    std::string_view type;    // of the delta
    std::string_view name;    // of the delta's member
};

constexpr delta_kind delta_kinds[] = {{"text", R"("")", "text_delta", "text"},
                                      {"thinking", R"("")", "thinking_delta", "thinking"},
                                      {"signature", R"("")", "signature_delta", "signature"},
                                      {"input", "{}", "input_json_delta", "partial_json"}};

const delta_kind* delta_kind_of(const json_member& m, std::string_view block_type) noexcept {
    for (const delta_kind& kind : delta_kinds) {
        // Other blocks (results of Anthropic's own tools) come whole in their first event.
        const bool called =
            kind.member != "input" || block_type == R"("tool_use")" || block_type == R"("server_tool_use")";
        if (m.key == kind.member && called) {
            return &kind;
        }
    }
    return nullptr;
}

void append_block(std::string& out, std::string_view block, unsigned index) {
    const json_part type = member_of(block, "type");
    append_named_event(out, "content_block_start", [&](json_writer& w) {
        w.number_member("index", index).key("content_block").open('{');
        json_reader members(block);
        while (const json_member* m = members.next()) {
            const delta_kind* const kind = delta_kind_of(*m, type.raw);
            append_compact_member(w, m->key, kind == nullptr ? m->value : kind->empty);
        }
        w.close('}');
    });
    json_reader members(block);
    while (const json_member* m = members.next()) {
        const delta_kind* const kind = delta_kind_of(*m, type.raw);
        if (kind == nullptr || m->value == kind->empty) {
            continue;
        }
        append_named_event(out, "content_block_delta", [&](json_writer& w) {
            w.number_member("index", index).key("delta").open('{').text_member("type", kind->type);
            if (kind->member == "input") {  // JSON as a text
                std::string compact;
                append_compact(compact, m->value);
                w.text_member(kind->name, compact);
            } else {
                w.member(kind->name, m->value);
            }
            w.close('}');
        });
    }
    append_named_event(out, "content_block_stop", [&](json_writer& w) { w.number_member("index", index); });
}

}  // namespace

void append_message_stream(std::string& out, std::string_view message) {
    json_part content;
    json_part reason;
    json_part sequence;
    json_part usage;
    read_members(message,
                 {{"content", &content}, {"stop_reason", &reason}, {"stop_sequence", &sequence}, {"usage", &usage}});
    append_named_event(out, "message_start", [&](json_writer& w) {
        w.key("message").open('{');
        json_reader members(message);
        while (const json_member* m = members.next()) {
            const bool later = m->key == "stop_reason" || m->key == "stop_sequence";
            append_compact_member(w, m->key, m->key == "content" ? "[]" : later ? "null" : m->value);
        }
        w.close('}');
    });
    json_reader blocks(content.raw);
    for (unsigned index = 0; const json_member* m = blocks.next(); ++index) {
        append_block(out, m->value, index);
    }
    append_named_event(out, "message_delta", [&](json_writer& w) {
        w.key("delta").open('{').member("stop_reason", reason ? reason.raw : "null");
        w.member("stop_sequence", sequence ? sequence.raw : "null").close('}');
        append_compact_member(w, "usage", usage.is_object() ? usage.raw : R"({"output_tokens":0})");
    });
    append_named_event(out, "message_stop", [](json_writer&) {});
}

}  // namespace concurred::upstream
