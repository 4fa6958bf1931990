#include "upstream/event_writer.hpp"
#include "upstream/whole_stream.hpp"

namespace concurred::upstream {

namespace {

using http::json_member;
using http::json_reader;

/// A copy of an object with some members replaced.
void append_with(json_writer& w, std::string_view name, std::string_view object,
                 std::initializer_list<std::pair<std::string_view, std::string_view>> others) {
    w.key(name).open('{');
    json_reader members(object);
    while (const json_member* m = members.next()) {
        std::string_view value = m->value;
        for (const auto& [key, other] : others) {
            value = m->key == key ? other : value;
        }
        append_compact_member(w, m->key, value);
    }
    w.close('}');
}

/// The numbered events of one response.
class event_series {
public:
    explicit event_series(std::string& out) noexcept : out_(out) {}

    template <class Write>
    void event(std::string_view type, Write&& write) {
        append_named_event(out_, type, [&](json_writer& w) {
            w.number_member("sequence_number", number_++);
            write(w);
        });
    }

    void item(std::string_view json, unsigned index) {
        json_part type;
        json_part id;
        json_part content;
        json_part arguments;
        read_members(json, {{"type", &type}, {"id", &id}, {"content", &content}, {"arguments", &arguments}});
        event("response.output_item.added", [&](json_writer& w) {
            w.number_member("output_index", index);
            append_with(w, "item", json, {{"status", R"("in_progress")"}, {"content", "[]"}, {"arguments", R"("")"}});
        });
        const auto place = [&](json_writer& w) {
            w.member("item_id", id ? id.raw : R"("")").number_member("output_index", index);
        };
        if (type.equals("message") && content.is_array()) {
            json_reader parts(content.raw);
            for (unsigned part = 0; const json_member* m = parts.next(); ++part) {
                add_part(m->value, part, place);
            }
        } else if (type.equals("function_call") && arguments.is_string()) {
            event("response.function_call_arguments.delta", [&](json_writer& w) {
                place(w);
                w.member("delta", arguments.raw);
            });
            event("response.function_call_arguments.done", [&](json_writer& w) {
                place(w);
                w.member("arguments", arguments.raw);
            });
        }
        event("response.output_item.done", [&](json_writer& w) {
            w.number_member("output_index", index);
            append_compact_member(w, "item", json);
        });
    }

private:
    template <class Place>
    void add_part(std::string_view json, unsigned part, const Place& place) {
        json_part text;
        json_part refusal;
        read_members(json, {{"text", &text}, {"refusal", &refusal}});
        const auto here = [&](json_writer& w) {
            place(w);
            w.number_member("content_index", part);
        };
        event("response.content_part.added", [&](json_writer& w) {
            here(w);
            append_with(w, "part", json, {{"text", R"("")"}, {"refusal", R"("")"}});
        });
        const bool refused = refusal.is_string();
        const json_part& said = refused ? refusal : text;
        if (said.is_string()) {
            event(refused ? "response.refusal.delta" : "response.output_text.delta", [&](json_writer& w) {
                here(w);
                w.member("delta", said.raw);
                append_logprobs(w, refused);
            });
            event(refused ? "response.refusal.done" : "response.output_text.done", [&](json_writer& w) {
                here(w);
                w.member(refused ? "refusal" : "text", said.raw);
                append_logprobs(w, refused);
            });
        }
        event("response.content_part.done", [&](json_writer& w) {
            here(w);
            append_compact_member(w, "part", json);
        });
    }

    static void append_logprobs(json_writer& w, bool refused) {
        if (!refused) {
            w.member("logprobs", "[]");
        }
    }

    std::string& out_;
    unsigned number_ = 0;
};

}  // namespace

void append_response_stream(std::string& out, std::string_view response) {
    json_part status;
    json_part output;
    read_members(response, {{"status", &status}, {"output", &output}});
    event_series events(out);
    for (const std::string_view type : {"response.created", "response.in_progress"}) {
        events.event(type, [&](json_writer& w) {
            append_with(w, "response", response, {{"status", R"("in_progress")"}, {"output", "[]"}, {"usage", "null"}});
        });
    }
    json_reader items(output.list());
    for (unsigned index = 0; const json_member* m = items.next(); ++index) {
        events.item(m->value, index);
    }
    const std::string_view end = status.equals("failed")       ? "response.failed"
                                 : status.equals("incomplete") ? "response.incomplete"
                                                               : "response.completed";
    events.event(end, [&](json_writer& w) { append_compact_member(w, "response", response); });
}

}  // namespace concurred::upstream
