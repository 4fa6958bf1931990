#include "upstream/event_writer.hpp"
#include "upstream/whole_stream.hpp"

namespace concurred::upstream {

namespace {

using http::json_member;
using http::json_reader;

/// Chunks of one answer.
class chunk_series {
public:
    chunk_series(std::string& out, std::string_view completion, bool include_usage)
        : out_(out), include_usage_(include_usage) {
        json_writer head(head_);
        head.text_member("object", "chat.completion.chunk");
        json_reader members(completion);
        while (const json_member* m = members.next()) {
            if (m->key == "usage") {
                usage_ = json_part(*m);
            } else if (m->key != "object" && m->key != "choices") {
                append_compact_member(head, m->key, m->value);
            }
        }
    }

    void choice(std::string_view json) {
        json_part index;
        json_part message;
        json_part reason;
        json_part logprobs;
        read_members(json,
                     {{"index", &index}, {"message", &message}, {"finish_reason", &reason}, {"logprobs", &logprobs}});
        index_ = std::to_string(index.count());
        std::string said;
        append_said(said, message.raw);
        chunk(R"("role":"assistant","content":"")", {}, {});
        if (!said.empty()) {
            chunk(said, logprobs, {});
        }
        chunk({}, {}, reason);
    }

    void end() {
        if (include_usage_ && usage_.is_object()) {
            out_.append("data: {").append(head_).append(R"(,"choices":[],"usage":)");
            append_compact(out_, usage_.raw);
            out_ += "}\n\n";
        }
        out_ += "data: [DONE]\n\n";
    }

private:
    /// What a message says, as members of a delta.
    static void append_said(std::string& delta, std::string_view message) {
        json_writer w(delta);
        json_reader members(message);
        while (const json_member* m = members.next()) {
            const json_part value(*m);
            if (m->key == "tool_calls" && value.is_array()) {
                append_calls(delta, value.raw);
            } else if (m->key != "role" && value && !value.is_empty_string()) {
                append_compact_member(w, m->key, m->value);
            }
        }
    }

    /// A stream's calls have an index.
    static void append_calls(std::string& delta, std::string_view calls) {
        json_writer w(delta);
        w.key("tool_calls").open('[');
        json_reader list(calls);
        for (unsigned i = 0; const json_member* call = list.next(); ++i) {
            w.open('{').number_member("index", i);
            json_reader members(call->value);
            while (const json_member* m = members.next()) {
                if (m->key != "index") {
                    append_compact_member(w, m->key, m->value);
                }
            }
            w.close('}');
        }
        w.close(']');
    }

    void chunk(std::string_view delta, const json_part& logprobs, const json_part& reason) {
        out_.append("data: {").append(head_).append(R"(,"choices":[{"index":)").append(index_);
        out_.append(R"(,"delta":{)").append(delta).append(R"(},"logprobs":)");
        append_compact(out_, logprobs ? logprobs.raw : "null");
        out_.append(R"(,"finish_reason":)").append(reason ? reason.raw : "null");
        out_ += include_usage_ ? "}],\"usage\":null}\n\n" : "}]}\n\n";
    }

    std::string& out_;
    bool include_usage_;
    std::string head_;  // members of every chunk
    std::string index_;
    json_part usage_;
};

}  // namespace

void append_completion_stream(std::string& out, std::string_view completion, bool include_usage) {
    chunk_series chunks(out, completion, include_usage);
    const json_part choices = member_of(completion, "choices");
    json_reader list(choices.raw);
    while (const json_member* m = list.next()) {
        chunks.choice(m->value);
    }
    chunks.end();
}

}  // namespace concurred::upstream
