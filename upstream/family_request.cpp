#include "upstream/family_request.hpp"

#include "upstream/chat_fields.hpp"
#include "upstream/google_fields.hpp"
#include "upstream/json_parts.hpp"
#include "upstream/json_writer.hpp"
#include "upstream/refusal.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace concurred::upstream {

namespace {

using base::result;
using http::json_kind;
using http::json_member;
using http::json_reader;

/// Copies one body member by member.
class family_writer {
public:
    family_writer(const translation_context& context, const family_policy& policy)
        : context_(context), policy_(policy) {}

    result<translated_request> run(std::string_view body);

private:
    enum class fate { copy, done };

    result<fate> take_x_ai(const json_member& m);
    result<fate> take_minimax(const json_member& m);
    fate drop(const json_member& m);
    fate take_x_ai_effort(const json_member& m);
    void append_messages(const json_part& messages);
    void append_tools(json_writer& w);
    void finish_minimax();
    [[nodiscard]] bool is_m3() const noexcept { return context_.upstream_model.starts_with("MiniMax-M3"); }

    const translation_context& context_;
    const family_policy& policy_;
    std::string out_ = "{";
    std::vector<std::string> dropped_;
    json_part tools_;  // MiniMax: looked at when everything is known
    json_part choice_;
    json_part limit_;
    std::string instruction_;  // MiniMax: to be said in words
};

bool is_one_of(std::string_view name, std::initializer_list<std::string_view> names) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

family_writer::fate family_writer::drop(const json_member& m) {
    if (m.kind != json_kind::null) {
        note_dropped(dropped_, m.key);
    }
    return fate::done;
}

/// Models that answer at once; all others of xAI's think.
bool answers_at_once(std::string_view model) noexcept {
    return model.find("non-reasoning") != std::string_view::npos || model.starts_with("grok-2") || model == "grok-3" ||
           model.starts_with("grok-3-fast") || model.starts_with("grok-3-beta");
}

/// Whether a model of xAI's takes `reasoning_effort`: grok-3-mini, and grok-4 from 4.3 on.
bool takes_effort(std::string_view model) noexcept {
    if (model.starts_with("grok-3-mini")) {
        return true;
    }
    constexpr std::string_view family = "grok-4.";
    return (model.starts_with(family) && model.size() > family.size() && model[family.size()] >= '3') ||
           model.starts_with("grok-5");
}

family_writer::fate family_writer::take_x_ai_effort(const json_member& m) {
    const std::string_view model = context_.upstream_model;
    const json_part effort(m);
    if (!takes_effort(model)) {
        return drop(m);
    }
    std::string word = effort.text();
    if (word == "minimal") {
        word = "low";
    }
    const bool up_to_high = model.starts_with("grok-3-mini") || model.starts_with("grok-4.3");
    if (word == "max" || word == "xhigh") {
        word = up_to_high ? "high" : "xhigh";
    }
    json_writer(out_).text_member("reasoning_effort", word);
    return fate::done;
}

result<family_writer::fate> family_writer::take_x_ai(const json_member& m) {
    if (is_one_of(m.key, {"presence_penalty", "frequency_penalty", "stop"}) &&
        !answers_at_once(context_.upstream_model)) {
        return drop(m);
    }
    if (is_one_of(m.key, {"logit_bias", "search_parameters"})) {
        return drop(m);
    }
    if (m.key == "deferred" && m.value == "true") {
        return refuse("deferred", "Deferred answers ('deferred') are not offered here.");
    }
    if (m.key == "top_logprobs" && json_part(m).count() > 8) {
        return refuse("top_logprobs", "'top_logprobs' may be at most 8 for this provider (x-ai).");
    }
    if (m.key == "service_tier" && !json_part(m).equals("default") && !json_part(m).equals("priority")) {
        return drop(m);
    }
    if (m.key == "reasoning_effort" && m.kind == json_kind::string) {
        return take_x_ai_effort(m);
    }
    return fate::copy;
}

result<family_writer::fate> family_writer::take_minimax(const json_member& m) {
    const json_part value(m);
    json_writer w(out_);
    if (is_one_of(m.key, {"presence_penalty", "frequency_penalty", "seed", "logit_bias", "parallel_tool_calls",
                          "top_logprobs", "store", "metadata", "user", "verbosity", "prediction", "service_tier",
                          "prompt_cache_key", "safety_identifier"})) {
        return drop(m);
    }
    if (m.key == "n" && value && value.integer() != 1) {
        return refuse("n", "'n' must be 1 for this provider (minimax).");
    }
    if (m.key == "logprobs" && value.is_true()) {
        return refuse("logprobs", "This provider (minimax) gives no log probabilities.");
    }
    if (m.key == "temperature" && value.is_number()) {
        double degrees = 0;
        std::from_chars(value.raw.data(), value.raw.data() + value.raw.size(), degrees);
        // It wants more than 0 and at most 1.
        w.member("temperature", degrees <= 0 ? "0.01" : degrees > 1 ? "1" : value.raw);
        return fate::done;
    }
    if (m.key == "max_tokens" || m.key == "max_completion_tokens") {
        limit_ = m.key == "max_completion_tokens" || !limit_ ? value : limit_;
        return fate::done;
    }
    if (m.key == "reasoning_effort") {
        if (is_m3() && value) {
            w.member("thinking", value.equals("none") ? R"({"type":"disabled"})" : R"({"type":"adaptive"})");
            return fate::done;
        }
        return drop(m);
    }
    if (m.key == "response_format") {
        if (value && !member_of(value.raw, "type").equals("text")) {
            instruction_ = "Answer with JSON only, without any other text.";
            const json_part schema = member_of(member_of(value.raw, "json_schema").raw, "schema");
            if (schema.is_object()) {
                instruction_ += " It must match this JSON Schema: ";
                append_compact(instruction_, schema.raw);
            }
        }
        return fate::done;
    }
    if (m.key == "tools" || m.key == "tool_choice") {
        (m.key == "tools" ? tools_ : choice_) = value;
        return fate::done;
    }
    return is_one_of(m.key, {"logprobs", "n", "reasoning_split"}) ? fate::done : fate::copy;
}

/// `developer` is OpenAI's word for `system`.
void family_writer::append_messages(const json_part& messages) {
    json_writer w(out_);
    w.key("messages");
    const bool rename = messages.raw.find("developer") != std::string_view::npos;
    if (!rename && instruction_.empty()) {
        w.raw(messages.raw);
        return;
    }
    w.open('[');
    if (!instruction_.empty()) {
        w.open('{').text_member("role", "system").text_member("content", instruction_).close('}');
    }
    json_reader elements(messages.raw);
    while (const json_member* m = elements.next()) {
        if (!rename || !member_of(m->value, "role").equals("developer")) {
            w.raw(m->value);
            continue;
        }
        w.open('{').text_member("role", "system");
        json_reader members(m->value);
        while (const json_member* member = members.next()) {
            if (!is_named(*member, "role")) {
                w.key(member->key).raw(member->value);
            }
        }
        w.close('}');
    }
    w.close(']');
}

// MiniMax documents no `tool_choice`: none and a name are said by what tools there are, the rest is passed on.
void family_writer::append_tools(json_writer& w) {
    if (!tools_ || choice_.equals("none")) {
        return;
    }
    const std::string only = member_of(member_of(choice_.raw, "function").raw, "name").text();
    w.key("tools").open('[');
    json_reader elements(tools_.is_array() ? tools_.raw : std::string_view("[]"));
    while (const json_member* m = elements.next()) {
        const json_part function = member_of(m->value, "function");
        if (!only.empty() && !member_of(function.raw, "name").equals(only)) {
            continue;
        }
        w.open('{').text_member("type", "function").key("function").open('{');
        json_reader members(function.is_object() ? function.raw : std::string_view("{}"));
        while (const json_member* member = members.next()) {
            if (!is_named(*member, "strict")) {  // held to here, not there
                w.key(member->key).raw(member->value);
            }
        }
        w.close('}').close('}');
    }
    w.close(']');
    if (choice_ && !choice_.equals("auto")) {
        w.member("tool_choice", choice_.raw);
    }
}

void family_writer::finish_minimax() {
    json_writer w(out_);
    append_tools(w);
    if (limit_) {
        w.member("max_completion_tokens", limit_.raw);
    }
    w.member("reasoning_split", "true");
}

result<translated_request> family_writer::run(std::string_view body) {
    json_part messages;
    json_reader members(body);
    json_writer w(out_);
    while (const json_member* m = members.next()) {
        const field_match field = match_field(*m);
        if (field.field == chat_field::model) {
            w.text_member("model", context_.upstream_model);
        } else if (field.field == chat_field::messages) {
            messages = json_part(*m);
        } else if (field.field != chat_field::stream_options && !is_gateway_only(field.field)) {
            result<fate> what = fate::copy;
            if (policy_.provider == "x-ai") {
                what = take_x_ai(*m);
            } else if (policy_.minimax) {
                what = take_minimax(*m);
            }
            if (!what) {
                return what.error();
            }
            if (*what == fate::copy) {
                w.key(m->key).raw(m->value);
            }
        }
    }
    append_messages(messages);
    if (policy_.minimax) {
        finish_minimax();
    }
    if (context_.stream) {
        w.member("stream_options", R"({"include_usage":true})");
    }
    w.close('}');
    translated_request made;
    made.path = "/chat/completions";
    made.body = std::move(out_);
    made.dropped = std::move(dropped_);
    return made;
}

}  // namespace

result<translated_request> to_family_request(std::string_view body, const translation_context& context,
                                             const family_policy& policy) {
    return family_writer(context, policy).run(body);
}

}  // namespace concurred::upstream
