#include "upstream/google_contents.hpp"

#include "gateway/http/json_string.hpp"
#include "upstream/google_parts.hpp"
#include "upstream/refusal.hpp"

#include <optional>
#include <utility>
#include <vector>

namespace concurred::upstream {

namespace {

using base::result;
using http::json_member;
using http::json_reader;

/// A call of an assistant's turn that waits for its result.
struct made_call {
    std::string id;
    json_part name;
    std::string response;  // the part, once it is there
};

struct message {
    json_part role;
    json_part content;
    json_part refusal;
    json_part calls;
    json_part call_id;
    json_part details;
    json_part audio;
    json_part function_call;
};

/// Builds the contents message by message.
class conversation {
public:
    explicit conversation(const gemini_model& model) noexcept : model_(model) {}

    result<void> add(std::string_view raw);
    result<gemini_contents> finish();

private:
    enum class turn { none, user, model, results };

    void begin(turn t);
    void end();
    void add_results();
    result<void> add_system(const message& m);
    result<void> add_user(const message& m);
    result<void> add_assistant(const message& m);
    result<void> add_calls(const json_part& calls, bool& any);
    result<void> add_call(const json_part& call, const std::string& path, bool first);
    result<void> add_result(const message& m);
    [[nodiscard]] std::string path(std::string_view member) const {
        return "messages[" + std::to_string(index_) + "]" + std::string(member);
    }

    const gemini_model& model_;
    std::size_t index_ = 0;
    bool leading_ = true;  // only instructions so far
    turn turn_ = turn::none;
    std::string system_;
    std::string out_;
    std::vector<made_call> calls_;
    std::size_t turn_begin_ = 0;  // the calls of the last assistant's turn begin here
};

void conversation::begin(turn t) {
    if (t == turn_) {
        return;
    }
    end();
    json_writer w(out_);
    if (t == turn::model && turn_ == turn::none) {  // a conversation begins with the user
        w.raw(R"({"role":"user","parts":[{"text":" "}]})");
    }
    turn_ = t;
    w.open('{').text_member("role", t == turn::model ? "model" : "user").key("parts").open('[');
}

void conversation::end() {
    if (turn_ != turn::none) {
        out_ += "]}";
    }
}

// All results of one turn stand together, in the order of the calls.
void conversation::add_results() {
    json_writer w(out_);
    for (std::size_t i = turn_begin_; i != calls_.size(); ++i) {
        if (!calls_[i].response.empty()) {
            begin(turn::results);
            w.raw(calls_[i].response);
        }
    }
    turn_begin_ = calls_.size();
}

result<void> conversation::add(std::string_view raw) {
    message m;
    read_members(raw, {{"role", &m.role},
                       {"content", &m.content},
                       {"refusal", &m.refusal},
                       {"tool_calls", &m.calls},
                       {"tool_call_id", &m.call_id},
                       {"reasoning_details", &m.details},
                       {"audio", &m.audio},
                       {"function_call", &m.function_call}});
    result<void> done;
    if (m.role.equals("tool")) {
        done = add_result(m);
    } else {
        add_results();
        const bool instruction = m.role.equals("system") || m.role.equals("developer");
        leading_ = leading_ && instruction;
        if (leading_ && model_.system_instruction) {
            done = add_system(m);
        } else if (instruction || m.role.equals("user")) {
            done = add_user(m);
        } else if (m.role.equals("assistant")) {
            done = add_assistant(m);
        } else {
            done = refuse(path(".role"), "'" + path(".role") + "' must be system, developer, user, assistant or tool.");
        }
    }
    ++index_;
    return done;
}

result<void> conversation::add_system(const message& m) {
    json_writer w(system_);
    if (m.content.is_string()) {
        append_gemini_text(w, m.content);
        return {};
    }
    json_reader parts(m.content.is_array() ? m.content.raw : std::string_view("[]"));
    while (const json_member* part = parts.next()) {
        const json_part text = member_of(part->value, "text");
        if (!text.is_string()) {
            return refuse(path(".content"), "Instructions ('" + path(".content") + "') may hold only text.");
        }
        append_gemini_text(w, text);
    }
    return {};
}

result<void> conversation::add_user(const message& m) {
    begin(turn::user);
    json_writer w(out_);
    const std::size_t before = out_.size();
    if (m.content.is_string()) {
        append_gemini_text(w, m.content);
    } else if (m.content.is_array()) {
        json_reader parts(m.content.raw);
        for (std::size_t i = 0; const json_member* part = parts.next(); ++i) {
            const result<void> ok =
                append_gemini_part(w, json_part(*part), path(".content[") + std::to_string(i) + "]");
            if (!ok) {
                return ok;
            }
        }
    } else {
        return refuse(path(".content"), "'" + path(".content") + "' must be a string or an array of parts.");
    }
    if (out_.size() == before && out_.back() == '[') {
        w.raw(R"({"text":" "})");  // a content without parts is refused
    }
    return {};
}

/// The signature of a text that came from Gemini.
json_part signature_of(const json_part& details) {
    json_part found;
    json_reader items(details.is_array() ? details.raw : std::string_view("[]"));
    while (const json_member* item = items.next()) {
        json_part type;
        json_part data;
        json_part format;
        read_members(item->value, {{"type", &type}, {"data", &data}, {"format", &format}});
        if (type.equals("reasoning.encrypted") && format.equals(gemini_reasoning_format) && data.is_string()) {
            found = data;
        }
    }
    return found;
}

/// The texts of an assistant's message.
std::vector<json_part> texts_of(const message& m) {
    std::vector<json_part> texts;
    const auto take = [&texts](const json_part& text) {
        if (text.is_string() && !text.is_empty_string()) {
            texts.push_back(text);
        }
    };
    take(m.content);
    json_reader parts(m.content.is_array() ? m.content.raw : std::string_view("[]"));
    while (const json_member* part = parts.next()) {
        json_part text;
        json_part refusal;
        read_members(part->value, {{"text", &text}, {"refusal", &refusal}});
        take(text ? text : refusal);
    }
    take(m.refusal);
    return texts;
}

result<void> conversation::add_assistant(const message& m) {
    if (m.audio || m.function_call) {
        const char* const member = m.audio ? ".audio" : ".function_call";
        return refuse(path(member), m.audio ? "This provider (google) cannot be given an earlier answer in audio."
                                            : "'function_call' is deprecated: use 'tool_calls'.");
    }
    json_writer w(out_);
    const std::vector<json_part> texts = texts_of(m);
    const json_part signature = signature_of(m.details);
    for (std::size_t i = 0; i != texts.size(); ++i) {
        begin(turn::model);
        w.open('{').member("text", texts[i].raw);
        if (signature && i + 1 == texts.size()) {
            w.member("thoughtSignature", signature.raw);
        }
        w.close('}');
    }
    if (signature && texts.empty()) {
        begin(turn::model);
        w.open('{').text_member("text", "").member("thoughtSignature", signature.raw).close('}');
    }
    bool any = false;
    return m.calls ? add_calls(m.calls, any) : result<void>();
}

result<void> conversation::add_calls(const json_part& calls, bool& any) {
    json_reader elements(calls.is_array() ? calls.raw : std::string_view("[]"));
    for (std::size_t i = 0; const json_member* call = elements.next(); ++i) {
        begin(turn::model);
        const result<void> ok =
            add_call(json_part(*call), path(".tool_calls[") + std::to_string(i) + "]", !std::exchange(any, true));
        if (!ok) {
            return ok;
        }
    }
    return {};
}

/// Arguments as the object that Gemini wants. What is none is passed on in one, so that the conversation can go on.
void append_arguments(json_writer& w, const json_part& arguments) {
    const std::string text = arguments.text();
    if (text.find_first_not_of(" \t\r\n") == std::string::npos) {
        w.member("args", "{}");
    } else if (http::is_json_object(text)) {
        w.key("args").raw("");
        append_compact(w.out(), text);
    } else {
        w.key("args").open('{').text_member("_raw", text).close('}');
    }
}

result<void> conversation::add_call(const json_part& call, const std::string& where, bool first) {
    json_part id;
    json_part function;
    json_part extra;
    read_members(call.raw, {{"id", &id}, {"function", &function}, {"extra_content", &extra}});
    json_part name;
    json_part arguments;
    read_members(function.raw, {{"name", &name}, {"arguments", &arguments}});
    if (!name.is_string() || !id.is_string()) {
        return refuse(where, "'" + where + "' must be a function call with 'id' and 'function.name'.");
    }
    json_writer w(out_);
    w.open('{').key("functionCall").open('{').member("id", id.raw).member("name", name.raw);
    append_arguments(w, arguments);
    w.close('}');
    const json_part signature = member_of(member_of(extra.raw, "google").raw, "thought_signature");
    if (signature.is_string()) {
        w.member("thoughtSignature", signature.raw);
    } else if (first && model_.signed_calls) {
        w.text_member("thoughtSignature", no_thought_signature);
    }
    w.close('}');
    calls_.push_back({id.text(), name, {}});
    return {};
}

/// The text of a tool's result; nothing when it holds something else.
std::optional<std::string> result_text(const json_part& content) {
    if (content.is_string()) {
        return content.text();
    }
    std::string text;
    json_reader parts(content.is_array() ? content.raw : std::string_view("[]"));
    while (const json_member* part = parts.next()) {
        const json_part one = member_of(part->value, "text");
        if (!one.is_string()) {
            return std::nullopt;
        }
        text += one.text();
    }
    return text;
}

result<void> conversation::add_result(const message& m) {
    const std::string id = m.call_id.text();
    std::size_t at = calls_.size();
    while (at != 0 && calls_[at - 1].id != id) {
        --at;
    }
    if (at == 0) {
        base::error e =
            refuse(path(".tool_call_id"),
                   "'" + path(".tool_call_id") + "' is the id of no tool call of an earlier assistant message.");
        e.upstream_code = "tool_call_id_mismatch";
        return e;
    }
    const std::optional<std::string> text = result_text(m.content);
    if (!text) {
        return refuse(path(".content"), "The result of a tool ('" + path(".content") + "') may hold only text.");
    }
    std::string part;
    json_writer w(part);
    w.open('{').key("functionResponse").open('{').member("id", m.call_id.raw);
    w.member("name", calls_[at - 1].name.raw).key("response");
    if (http::is_json_object(*text)) {
        w.raw("");
        append_compact(part, *text);
    } else {
        w.open('{').text_member("output", *text).close('}');
    }
    w.close('}').close('}');
    std::string& place = calls_[at - 1].response;
    if (at > turn_begin_ && place.empty()) {
        place = std::move(part);
    } else {  // a second result, or one that comes late: where it stands
        begin(turn::results);
        json_writer(out_).raw(part);
    }
    return {};
}

result<gemini_contents> conversation::finish() {
    add_results();
    end();
    if (out_.empty()) {
        if (system_.empty()) {
            return refuse("messages", "'messages' hold no text.");
        }
        out_ = R"({"role":"user","parts":[)" + std::exchange(system_, {}) + "]}";
    }
    return gemini_contents{std::move(system_), std::move(out_)};
}

}  // namespace

result<gemini_contents> to_gemini_contents(std::string_view messages, const gemini_model& model) {
    conversation c(model);
    json_reader elements(messages);
    while (const json_member* m = elements.next()) {
        const result<void> ok = c.add(m->value);
        if (!ok) {
            return ok.error();
        }
    }
    return c.finish();
}

}  // namespace concurred::upstream
