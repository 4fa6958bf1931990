#include "upstream/family_answer.hpp"

#include "gateway/http/json_string.hpp"
#include "upstream/call_id.hpp"
#include "upstream/error_fields.hpp"
#include "upstream/family_usage.hpp"
#include "upstream/json_writer.hpp"
#include "upstream/usage_extract.hpp"

#include <algorithm>
#include <array>

namespace concurred::upstream {

namespace {

using http::json_kind;
using http::json_member;
using http::json_reader;

constexpr unsigned most_choices = 128;

/// Members of a chunk or an answer that are the provider's own business.
constexpr std::array<std::string_view, 10> private_members{"obfuscation",
                                                           "native_finish_reason",
                                                           "base_resp",
                                                           "input_sensitive",
                                                           "output_sensitive",
                                                           "input_sensitive_type",
                                                           "output_sensitive_type",
                                                           "output_sensitive_int",
                                                           "audio_content",
                                                           "name"};

bool is_private(std::string_view key) noexcept {
    return std::find(private_members.begin(), private_members.end(), key) != private_members.end();
}

}  // namespace

void family_answer::feed(std::string_view bytes, std::string& out) {
    if (!error_event_.empty()) {
        return;
    }
    if (!events_.feed(bytes, [&](std::string_view data) { return event(data, out); }) && error_event_.empty()) {
        error_event_ = R"({"error":{"message":"The provider sent an event that is too long.","type":"server_error"}})";
    }
}

void family_answer::finish(std::string& out) {
    if (error_event_.empty()) {
        events_.finish([&](std::string_view data) { return event(data, out); });
    }
    done_ = ended_ || all_finished();
    if (!error_event_.empty() || !done_) {
        return;
    }
    if (settings_.include_usage && !figures_.empty()) {
        out.append("data: {").append(head_).append(R"(,"choices":[],"usage":)").append(figures_).append("}\n\n");
    }
    out += "data: [DONE]\n\n";
}

/// @return whether to go on
bool family_answer::event(std::string_view data, std::string& out) {
    if (data.starts_with('[')) {
        ended_ = done_ = ended_ || data.starts_with("[DONE]");
        content_seen_ = content_seen_ || done_;
        return true;
    }
    if (is_known_shape(data, out)) {
        return true;
    }
    const bool one_line = data.find('\n') == std::string_view::npos;
    if (!one_line) {  // several data lines: the client gets one
        if (!http::is_json_object(data)) {
            return true;
        }
        compact_.clear();
        append_compact(compact_, data);
        data = compact_;
    }
    json_part choices;
    json_part usage;
    if (!take_head(data, choices, usage)) {
        error_event_ = data;
        return false;
    }
    const bool counted = take_usage(usage);
    const std::size_t before = out.size();
    only_text_ = {};
    unsigned count = 0;
    json_reader elements(choices.list());
    for (; const json_member* m = elements.next(); ++count) {
        stream_choice(m->value, out);
        if (!error_event_.empty()) {
            return false;
        }
    }
    if (count == 1 && one_line && !counted && only_text_.is_string()) {
        learn_shape(data, std::string_view(out).substr(before));
    }
    if (policy().minimax && usage_ && all_finished()) {
        done_ = true;  // its `[DONE]` is missing now and then, and its streams do not always end
    }
    return true;
}

/// An event that differs from an earlier one in its text alone.
bool family_answer::is_known_shape(std::string_view data, std::string& out) {
    for (const token_pattern& shape : shapes_) {
        token_pattern::found f;
        if (shape.match(data, f)) {
            if (!f.text.empty()) {
                shape.append(out, f.text);
                output_octets_ += http::json_unescaped_size(f.text);
            }
            return true;
        }
    }
    return false;
}

void family_answer::learn_shape(std::string_view data, std::string_view out) {
    // Quotes inside of texts are escaped, so this stands there once.
    const std::string_view name = only_reasoning_ ? R"("delta":{"reasoning_content":")" : R"("delta":{"content":")";
    const std::size_t at = out.find(name);
    const std::string_view text = only_text_.inside();
    if (at == std::string_view::npos || !out.substr(at + name.size()).starts_with(text)) {
        return;  // it was escaped in another way
    }
    shapes_[only_reasoning_ ? 1 : 0].learn(data, text, {}, out, out.substr(at + name.size(), text.size()));
}

/// Reads what stands beside the choices.
/// @return false: it is an error
bool family_answer::take_head(std::string_view json, json_part& choices, json_part& usage) {
    head_.clear();
    json_writer w(head_);
    bool object = false;
    bool error = false;
    json_reader members(json);
    while (const json_member* m = members.next()) {
        const json_part value(*m);
        if (m->key == "choices") {
            choices = value;
        } else if (m->key == "usage") {
            usage = value;
        } else if (m->key == "error") {
            error = error || is_error(value);
        } else if (m->key == "base_resp") {
            error = error || is_failure(value);
        } else if (m->key == "object") {
            object = true;
            w.text_member("object", "chat.completion.chunk");
        } else if (m->key == "model" && !value.has_text()) {
            w.text_member("model", settings_.model);
        } else if (!is_private(m->key)) {
            if (m->key == "id" && id_.empty()) {
                id_ = value.text();
            }
            w.member(m->key, m->value);
        }
    }
    if (!members.ok()) {
        choices = usage = {};  // no JSON: nothing that a client could use
        return true;
    }
    if (!object) {
        w.text_member("object", "chat.completion.chunk");
    }
    return !error;
}

/// @return whether there were figures
bool family_answer::take_usage(const json_part& usage) {
    const auto counts = usage.is_object() ? parse_usage(usage.raw) : std::nullopt;
    if (!counts) {
        return false;
    }
    usage_ = counts;
    figures_.clear();
    append_family_usage(figures_, usage.raw, policy());
    if (const auto cost = cost_in_usage(usage.raw, policy())) {
        cost_nano_usd_ = cost;
    }
    return true;
}

family_answer::choice& family_answer::choice_at(unsigned index) {
    if (choices_.size() <= index) {
        choices_.resize(index + 1);
    }
    return choices_[index];
}

bool family_answer::all_finished() const noexcept {
    return !choices_.empty() &&
           std::all_of(choices_.begin(), choices_.end(), [](const choice& c) { return c.finished; });
}

std::string family_answer::calls_id(unsigned index) const {
    return index == 0 ? id_ : id_ + "/" + std::to_string(index);
}

/// @param first what is null or empty is worth copying too
family_answer::said family_answer::read_said(std::string_view json, const family_policy& policy, bool first) {
    said d;
    json_writer others(d.others);
    json_reader members(json);
    while (const json_member* m = members.next()) {
        const json_part value(*m);
        if (m->key == "role") {
            d.role = value;
        } else if (m->key == "content") {
            d.content = value;
        } else if (m->key == "reasoning") {
            d.reasoning = value;
        } else if (m->key == "reasoning_content") {
            d.reasoning_content = value;
        } else if (m->key == "reasoning_details") {
            d.details = value;
        } else if (m->key == "tool_calls") {
            d.calls = value;
        } else if (!(policy.minimax && is_private(m->key)) && (first || value)) {
            others.member(m->key, m->value);
        }
    }
    if (!d.reasoning_content.has_text()) {
        d.reasoning_content = d.reasoning;
    }
    return d;
}

void family_answer::stream_choice(std::string_view json, std::string& out) {
    json_part index;
    json_part delta;
    json_part message;
    json_part reason;
    json_part logprobs;
    read_members(json, {{"index", &index},
                        {"delta", &delta},
                        {"message", &message},
                        {"finish_reason", &reason},
                        {"logprobs", &logprobs}});
    const auto at = static_cast<unsigned>(std::min<std::uint64_t>(index.count(), most_choices - 1));
    choice& c = choice_at(at);
    if (c.finished) {
        return;  // OpenRouter repeats the choice beside the usage
    }
    // A last frame that says everything again is of use only if nothing was said before.
    const json_part& source = delta.is_object() || c.spoke ? delta : message;
    const bool had_begun = c.begun;
    const said d = read_said(source.raw, policy(), !had_begun);
    if (policy().minimax) {
        stream_minimax(d, c, at, out);
    } else {
        stream_delta(d, c, at, out, logprobs ? logprobs.raw : std::string_view());
    }
    if (reason.is_string()) {
        only_text_ = {};
        end_choice(c, at, reason, out);
    }
}

// One chunk for each of the provider's that says something.
void family_answer::stream_delta(const said& d, choice& c, unsigned index, std::string& out,
                                 std::string_view logprobs) {
    std::string delta;
    json_writer w(delta);
    const bool first = !c.begun;
    if (first) {
        w.text_member("role", "assistant");
    }
    if (d.content.has_text() || (first && !d.content.raw.empty()) || d.content.is_array()) {
        w.member("content", d.content.raw);
        output_octets_ += d.content.is_string() ? http::json_unescaped_size(d.content.inside()) : 0;
        c.spoke = c.spoke || d.content.raw.size() > 2;
        content_seen_ = content_seen_ || d.content.has_text() || d.content.is_array();
    }
    if (!d.others.empty()) {
        w.raw(d.others);
        content_seen_ = content_seen_ || !first;
    }
    if (d.details.is_array() && json_reader(d.details.raw).next() != nullptr) {
        w.member("reasoning_details", d.details.raw);
        content_seen_ = true;
    }
    if (d.reasoning_content.has_text()) {
        w.member("reasoning_content", d.reasoning_content.raw);
        output_octets_ += http::json_unescaped_size(d.reasoning_content.inside());
        content_seen_ = true;
    }
    if (d.calls.is_array() && json_reader(d.calls.raw).next() != nullptr) {
        w.key("tool_calls").open('[');
        w.raw("");
        output_octets_ += c.calls.append(delta, d.calls, calls_id(index), true);
        w.close(']');
        content_seen_ = c.spoke = true;
    }
    if (delta.empty()) {
        return;
    }
    c.begun = true;
    if (!first && logprobs.empty()) {
        constexpr std::size_t content_name = std::string_view("\"content\":").size();
        constexpr std::size_t reasoning_name = std::string_view("\"reasoning_content\":").size();
        only_reasoning_ = delta.size() == reasoning_name + d.reasoning_content.raw.size();
        if (only_reasoning_ || (d.content.has_text() && delta.size() == content_name + d.content.raw.size())) {
            only_text_ = only_reasoning_ ? d.reasoning_content : d.content;
        }
    }
    open(out, index);
    out += delta;
    close(out, {}, logprobs);
}

void family_answer::end_choice(choice& c, unsigned index, const json_part& reason, std::string& out) {
    if (reason.equals("error")) {
        error_event_ = R"({"error":{"message":"The provider broke its answer off.","type":"server_error",)"
                       R"("metadata":{"error_type":"provider_unavailable"}}})";
        return;
    }
    if (policy().minimax) {
        finish_minimax(c, index, out);
    }
    c.finished = content_seen_ = true;
    for (token_pattern& shape : shapes_) {
        shape.forget();
    }
    open(out, index);
    close(out, c.calls.any() && reason.equals("stop") ? std::string_view("\"tool_calls\"") : reason.raw, {});
}

void family_answer::open(std::string& out, unsigned index) const {
    out.append("data: {").append(head_).append(R"(,"choices":[{"index":)").append(std::to_string(index));
    out += R"(,"delta":{)";
}

/// @param finish with its quotes; empty: null
void family_answer::close(std::string& out, std::string_view finish, std::string_view logprobs) const {
    out.append(R"(},"logprobs":)").append(logprobs.empty() ? "null" : logprobs).append(R"(,"finish_reason":)");
    out += finish.empty() ? "null" : finish;
    out += settings_.include_usage ? "}],\"usage\":null}\n\n" : "}]}\n\n";
}

void family_answer::say(std::string_view member, std::string_view raw, unsigned index, std::string& out) {
    open(out, index);
    out.append("\"").append(member).append("\":").append(raw);
    close(out, {}, {});
}

}  // namespace concurred::upstream
