#include "upstream/google_answer.hpp"

#include "gateway/http/json_string.hpp"
#include "upstream/call_id.hpp"
#include "upstream/google_contents.hpp"
#include "upstream/json_writer.hpp"

#include <algorithm>

namespace concurred::upstream {

namespace {

using http::json_member;
using http::json_reader;

}  // namespace

void google_answer::feed(std::string_view bytes, std::string& out) {
    if (!error_event_.empty()) {
        return;
    }
    if (!events_.feed(bytes, [&](std::string_view data) { return event(data, out); }) && error_event_.empty()) {
        fail(R"({"error":{"message":"The provider sent an event that is too long.","type":"server_error",)"
             R"("param":null,"code":"upstream_error"}})");
    }
}

void google_answer::finish(std::string& out) {
    if (error_event_.empty()) {
        events_.finish([&](std::string_view data) { return event(data, out); });
    }
    if (!error_event_.empty() || !done_) {
        return;
    }
    for (unsigned i = 0; i != choices_.size(); ++i) {
        const choice& c = choices_[i];
        if (const std::string pages = c.grounding.annotations(); !pages.empty()) {
            chunks_.open(out, i);
            out.append("\"annotations\":[").append(pages).append("]");
            chunks_.close(out);
        }
        chunks_.open(out, i);
        chunks_.close(out, blocked_ ? "content_filter" : finish_reason_of(c.finish, c.calls != 0));
    }
    chunks_.end(out, usage() ? &*usage() : nullptr);
}

const std::optional<base::token_counts>& google_answer::usage() const noexcept {
    if (!unread_usage_.empty()) {
        figures_.take(json_part(std::string_view(unread_usage_)));
        unread_usage_.clear();
        read_usage_ = figures_.counts();
    }
    return read_usage_;
}

/// @return whether to go on
bool google_answer::event(std::string_view data, std::string& out) {
    if (is_known_shape(data, out)) {
        return true;
    }
    const auto e = read_gemini_event(data);
    if (!e) {
        fail(R"({"error":{"message":"The provider sent an event that is not valid JSON.","type":"server_error",)"
             R"("param":null,"code":"upstream_error"}})");
        return false;
    }
    if (e->error) {
        fail(data);
        return false;
    }
    begin(*e);
    if (e->blocked()) {
        blocked_ = true;
        (void)choice_at(0, out);
    }
    const std::size_t before = out.size();
    json_reader candidates(e->candidates.is_array() ? e->candidates.raw : std::string_view("[]"));
    while (const json_member* m = candidates.next()) {
        stream_candidate(m->value, out);
    }
    check_end();
    if (!done_ && !e->feedback && !settings_.searches) {
        learn_shape(data, *e, std::string_view(out).substr(before));
    }
    return error_event_.empty();
}

/// An event that differs from an earlier one in its text and its figures alone.
bool google_answer::is_known_shape(std::string_view data, std::string& out) {
    for (const token_pattern& shape : shapes_) {
        token_pattern::found f;
        if (shape.match(data, f)) {
            if (!f.text.empty()) {
                shape.append(out, f.text);
                output_octets_ += http::json_unescaped_size(f.text);
            }
            if (f.hole.size() < unread_usage_.size()) {
                (void)usage();  // a figure may be missing from the new ones
            }
            if (!f.hole.empty()) {
                unread_usage_ = f.hole;
            }
            return true;
        }
    }
    return false;
}

/// Remembers an event with one candidate that says one text, if it is one.
void google_answer::learn_shape(std::string_view data, const gemini_event& e, std::string_view out) {
    json_reader candidates(e.candidates.is_array() ? e.candidates.raw : std::string_view("[]"));
    const json_member* const one = candidates.next();
    if (one == nullptr || data.find('\n') != std::string_view::npos) {
        return;
    }
    const gemini_candidate candidate = read_gemini_candidate(one->value);
    json_reader parts(candidate.parts.is_array() ? candidate.parts.raw : std::string_view("[]"));
    const json_member* const said = parts.next();
    if (said == nullptr || candidate.finish || candidate.logprobs) {
        return;
    }
    const gemini_part part = read_gemini_part(said->value);
    const bool thought = part.what == gemini_part::kind::thought;
    if (parts.next() != nullptr || candidates.next() != nullptr || part.signature || !part.text.is_string() ||
        (!thought && part.what != gemini_part::kind::text)) {
        return;
    }
    // Quotes inside of texts are escaped, so this stands there once; a first event says the role too.
    const std::string_view name = thought ? R"("delta":{"reasoning_content":")" : R"("delta":{"content":")";
    const std::size_t at = out.find(name);
    const std::string_view text = part.text.inside();
    if (at != std::string_view::npos && !text.empty() && out.find("\"role\":") == std::string_view::npos) {
        shapes_[thought ? 1 : 0].learn(data, text, e.usage.is_object() ? e.usage.raw : std::string_view(), out,
                                       out.substr(at + name.size(), text.size()));
    }
}

void google_answer::begin(const gemini_event& e) {
    (void)usage();  // what came before
    figures_.take(e.usage);
    read_usage_ = figures_.counts();
    if (!id_.empty()) {
        return;
    }
    id_ = e.id.text();
    if (id_.empty()) {
        id_ = made_answer_id();
    }
    model_ = e.model.text();
    if (model_.empty()) {
        model_ = settings_.model;
    }
    chunks_.begin(id_, settings_.created, model_, settings_.include_usage);
}

google_answer::choice& google_answer::choice_at(unsigned index, std::string& out) {
    if (choices_.size() <= index) {
        choices_.resize(index + 1);
    }
    for (unsigned i = 0; i <= index; ++i) {
        if (!choices_[i].begun) {
            choices_[i].begun = true;
            chunks_.open(out, i);
            out += R"("role":"assistant","content":"")";
            chunks_.close(out);
        }
    }
    return choices_[index];
}

void google_answer::stream_candidate(std::string_view json, std::string& out) {
    const gemini_candidate candidate = read_gemini_candidate(json);
    choice& c = choice_at(candidate.index, out);
    c.grounding.take(candidate.grounding);
    std::string logprobs = openai_logprobs(candidate.logprobs);
    json_reader parts(candidate.parts.is_array() ? candidate.parts.raw : std::string_view("[]"));
    while (const json_member* m = parts.next()) {
        stream_part(read_gemini_part(m->value), candidate.index, out, logprobs);
    }
    if (const gemini_finish finish = read_gemini_finish(candidate.finish); finish != gemini_finish::none) {
        c.finish = finish;
    }
}

void google_answer::stream_part(const gemini_part& part, unsigned index, std::string& out, std::string& logprobs) {
    choice& c = choices_[index];
    const bool filled = part.text.is_string() && !part.text.is_empty_string();
    switch (part.what) {
        case gemini_part::kind::text:
        case gemini_part::kind::thought:
            if (filled) {
                const bool thought = part.what == gemini_part::kind::thought;
                chunks_.open(out, index);
                out.append(thought ? "\"reasoning_content\":" : "\"content\":").append(part.text.raw);
                chunks_.close(out, {}, thought ? std::string_view() : std::string_view(logprobs));
                logprobs.clear();
                output_octets_ += http::json_unescaped_size(part.text.inside());
                content_seen_ = true;
                c.content = c.content || !thought;
                if (settings_.searches && !thought) {
                    c.grounding.text(part.text.inside());
                }
            }
            if (part.signature) {
                chunks_.open(out, index);
                append_signature(out, part, c);
                chunks_.close(out);
            }
            break;
        case gemini_part::kind::call:
            if (!is_surplus(part, c)) {
                chunks_.open(out, index);
                out += "\"tool_calls\":[";
                append_call(out, part, c, index, true);
                out += ']';
                chunks_.close(out);
                content_seen_ = true;
            }
            break;
        case gemini_part::kind::image:
            chunks_.open(out, index);
            out += "\"images\":[";
            append_picture(out, part, c);
            out += ']';
            chunks_.close(out);
            content_seen_ = true;
            break;
        case gemini_part::kind::other:
            break;
    }
}

bool google_answer::is_surplus(const gemini_part& part, const choice& c) const noexcept {
    return !part.name.is_string() || (settings_.one_call && c.calls != 0);
}

void google_answer::append_call(std::string& out, const gemini_part& part, choice& c, unsigned index, bool with_index) {
    std::string arguments;
    append_compact(arguments, part.args.is_object() ? part.args.raw : std::string_view("{}"));
    output_octets_ += http::json_unescaped_size(part.name.inside()) + arguments.size();
    json_writer w(out);
    w.open('{');
    if (with_index) {
        w.number_member("index", c.calls);
    }
    w.text_member("id", call_id(part, index, c.calls)).text_member("type", "function");
    w.key("function").open('{').member("name", part.name.raw).text_member("arguments", arguments).close('}');
    if (part.signature) {
        w.key("extra_content").open('{').key("google").open('{').member("thought_signature", part.signature.raw);
        w.close('}').close('}');
    }
    w.close('}');
    ++c.calls;
}

void google_answer::append_signature(std::string& out, const gemini_part& part, choice& c) {
    json_writer w(out);
    w.key("reasoning_details").open('[').open('{').text_member("type", "reasoning.encrypted");
    w.member("data", part.signature.raw).text_member("format", gemini_reasoning_format);
    w.number_member("index", c.signatures++).close('}').close(']');
}

void google_answer::append_picture(std::string& out, const gemini_part& part, choice& c) {
    json_writer w(out);
    w.open('{').number_member("index", c.images++).text_member("type", "image_url").key("image_url").open('{');
    w.key("url").raw("");
    out.append("\"data:").append(part.media_type.inside()).append(";base64,").append(part.data.inside()).append("\"");
    w.close('}').close('}');
    c.content = true;
}

std::string google_answer::call_id(const gemini_part& part, unsigned index, unsigned number) {
    if (part.id.is_string() && !part.id.is_empty_string()) {
        return part.id.text();
    }
    return made_call_id(id_, index, number);
}

/// What is wrong with a choice that has ended; empty: nothing.
std::string_view google_answer::fault_of(const choice& c) const noexcept {
    const bool empty = !c.content && c.calls == 0;
    if (c.finish == gemini_finish::bad_call && empty) {
        return bad_call_error;
    }
    return c.finish == gemini_finish::unknown && empty ? no_content_error : std::string_view();
}

void google_answer::check_end() {
    unsigned ended = 0;
    for (const choice& c : choices_) {
        if (c.finish == gemini_finish::none) {
            continue;
        }
        ++ended;
        if (const std::string_view fault = fault_of(c); !fault.empty()) {
            fail(fault);
            return;
        }
    }
    done_ = done_ || blocked_ || (ended != 0 && ended == choices_.size() && ended >= settings_.candidates);
    content_seen_ = content_seen_ || done_;
}

void google_answer::fail(std::string_view error) {
    error_event_ = error;
}

}  // namespace concurred::upstream
