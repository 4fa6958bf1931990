#include "upstream/google_request.hpp"

#include "upstream/google_contents.hpp"
#include "upstream/google_fields.hpp"
#include "upstream/google_schema.hpp"
#include "upstream/google_tools.hpp"
#include "upstream/refusal.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

namespace concurred::upstream {

namespace {

using base::result;
using http::json_member;
using http::json_reader;

constexpr unsigned most_candidates = 8;
constexpr unsigned most_stops = 5;

/// Writes one body. The parts of it that can fail return what is wrong with the field.
class gemini_writer {
public:
    gemini_writer(std::string_view body, const translation_context& context)
        : context_(context), model_(gemini_model_of(context.upstream_model)), fields_(read_gemini_fields(body)) {}

    result<translated_request> run();

private:
    result<void> refuse_what_is_lost() const;
    result<void> append_config();
    result<void> append_stops(json_writer& w) const;
    result<void> append_format(json_writer& w);
    result<void> append_modalities(json_writer& w) const;
    result<void> append_thinking(json_writer& w) const;
    void append_penalties(json_writer& w);
    void append_rest();
    [[nodiscard]] std::uint64_t max_tokens() const noexcept {
        return (fields_.max_completion_tokens ? fields_.max_completion_tokens : fields_.max_tokens).count();
    }
    void drop(std::string_view name) { note_dropped(fields_.dropped, name); }

    const translation_context& context_;
    const gemini_model model_;
    gemini_fields fields_;
    gemini_tool_fields tools_;
    json_part google_;          // extra_body.google, as Google's own OpenAI layer reads it
    std::string instructions_;  // parts to add to the system instruction
    std::string config_;        // the inside of generationConfig
    std::string body_ = "{";
};

/// A copy as it is.
void copy(json_writer& w, std::string_view name, const json_part& value) {
    if (value) {
        w.member(name, value.raw);
    }
}

result<void> check_number(const json_part& value, std::string_view name) {
    if (value && !value.is_number()) {
        return refuse(std::string(name), "'" + std::string(name) + "' must be a number.");
    }
    return {};
}

result<void> gemini_writer::refuse_what_is_lost() const {
    if (fields_.functions.is_array() && json_reader(fields_.functions.raw).next() != nullptr) {
        return refuse("functions", "'functions' is deprecated: use 'tools'.");
    }
    const auto candidates = fields_.n ? fields_.n.integer() : 1;
    if (!candidates || *candidates < 1 || *candidates > most_candidates) {
        return refuse("n", "'n' must be an integer from 1 to 8 for this provider (google).");
    }
    for (const auto& [value, name] : {std::pair{fields_.temperature, "temperature"}, std::pair{fields_.top_p, "top_p"},
                                      std::pair{fields_.top_k, "top_k"}, std::pair{fields_.seed, "seed"},
                                      std::pair{fields_.max_tokens, "max_tokens"},
                                      std::pair{fields_.max_completion_tokens, "max_completion_tokens"},
                                      std::pair{fields_.top_logprobs, "top_logprobs"}}) {
        const result<void> ok = check_number(value, name);
        if (!ok) {
            return ok;
        }
    }
    return {};
}

result<void> gemini_writer::append_stops(json_writer& w) const {
    const json_part& stop = fields_.stop;
    if (!stop) {
        return {};
    }
    const std::string one = "[" + std::string(stop.raw) + "]";
    json_reader elements(stop.is_string() ? std::string_view(one) : stop.raw);
    std::string list;
    json_writer texts(list);
    unsigned count = 0;
    while (const json_member* m = elements.next()) {
        const json_part text(*m);
        if (!text.is_string() || ++count > most_stops) {
            return refuse("stop",
                          "'stop' must be a string or an array of at most 5 strings for this provider (google).");
        }
        if (!text.is_empty_string()) {
            texts.raw(text.raw);
        }
    }
    if (!list.empty()) {
        w.key("stopSequences").open('[').raw(list).close(']');
    }
    return {};
}

result<void> gemini_writer::append_format(json_writer& w) {
    const json_part& format = fields_.response_format;
    if (!format) {
        return {};
    }
    json_part type;
    json_part wrapper;
    read_members(format.raw, {{"type", &type}, {"json_schema", &wrapper}});
    if (type.equals("text")) {
        return {};
    }
    if (!type.equals("json_object") && !type.equals("json_schema")) {
        return refuse("response_format", "'response_format.type' must be text, json_object or json_schema.");
    }
    const json_part schema = member_of(wrapper.raw, "schema");
    if (has_functions(tools_) && !model_.json_with_tools) {  // refused together: asked for in words
        std::string text = "Answer with JSON only, without any other text.";
        if (schema.is_object()) {
            text += " It must match this JSON Schema: ";
            append_compact(text, schema.raw);
        }
        json_writer(instructions_).open('{').text_member("text", text).close('}');
        return {};
    }
    w.text_member("responseMimeType", "application/json");
    if (!schema.is_object()) {
        return {};
    }
    if (const auto rewritten = to_gemini_schema(schema.raw)) {
        w.member("responseSchema", *rewritten);
    } else {
        w.key("responseJsonSchema").raw("");
        append_compact(w.out(), schema.raw);
    }
    return {};
}

result<void> gemini_writer::append_modalities(json_writer& w) const {
    json_reader elements(fields_.modalities.is_array() ? fields_.modalities.raw : std::string_view("[]"));
    bool image = false;
    while (const json_member* m = elements.next()) {
        const json_part one(*m);
        image = image || one.equals("image");
        if (!one.equals("image") && !one.equals("text")) {
            return refuse("modalities",
                          "This provider (google) answers a chat completion with text or images: "
                          "'modalities' may hold text and image.");
        }
    }
    if (image) {
        w.member("responseModalities", R"(["TEXT","IMAGE"])");
    }
    return {};
}

result<void> gemini_writer::append_thinking(json_writer& w) const {
    if (const json_part given = member_of(google_.raw, "thinking_config"); given.is_object()) {
        w.member("thinkingConfig", given.raw);
        return {};
    }
    constexpr std::array<std::string_view, 7> efforts{"none", "minimal", "low", "medium", "high", "xhigh", "max"};
    const std::string effort = fields_.reasoning_effort.text();
    if (fields_.reasoning_effort && std::find(efforts.begin(), efforts.end(), effort) == efforts.end()) {
        return refuse("reasoning_effort", "'reasoning_effort' must be none, minimal, low, medium, high, xhigh or max.");
    }
    const std::string config = gemini_thinking_config(model_, effort, max_tokens());
    if (!config.empty()) {
        w.member("thinkingConfig", config);
    }
    return {};
}

void gemini_writer::append_penalties(json_writer& w) {
    if (model_.penalties) {
        copy(w, "presencePenalty", fields_.presence_penalty);
        copy(w, "frequencyPenalty", fields_.frequency_penalty);
        return;
    }
    for (const auto& [value, name] : {std::pair{fields_.presence_penalty, "presence_penalty"},
                                      std::pair{fields_.frequency_penalty, "frequency_penalty"}}) {
        if (value && value.raw != "0" && value.raw != "0.0") {
            drop(name);
        }
    }
}

result<void> gemini_writer::append_config() {
    json_writer w(config_);
    const json_part& limit = fields_.max_completion_tokens ? fields_.max_completion_tokens : fields_.max_tokens;
    copy(w, "maxOutputTokens", limit);
    copy(w, "temperature", fields_.temperature);
    copy(w, "topP", fields_.top_p);
    copy(w, "topK", fields_.top_k);
    if (fields_.n && fields_.n.count() > 1) {
        w.member("candidateCount", fields_.n.raw);
    }
    if (const auto seed = fields_.seed.integer(); seed && *seed >= INT32_MIN && *seed <= INT32_MAX) {
        w.member("seed", fields_.seed.raw);
    } else if (fields_.seed) {
        drop("seed");  // Gemini's has 32 bits
    }
    if (fields_.logprobs.is_true()) {
        w.member("responseLogprobs", "true");
        copy(w, "logprobs", fields_.top_logprobs);
    }
    append_penalties(w);
    for (const auto append :
         {&gemini_writer::append_stops, &gemini_writer::append_modalities, &gemini_writer::append_thinking}) {
        const result<void> ok = (this->*append)(w);
        if (!ok) {
            return ok;
        }
    }
    return append_format(w);
}

// What stands beside the conversation, the tools and the generation.
void gemini_writer::append_rest() {
    json_writer w(body_);
    json_part safety = member_of(google_.raw, "safety_settings");
    copy(w, "safetySettings", safety ? safety : fields_.safety_settings);
    copy(w, "cachedContent", member_of(google_.raw, "cached_content"));
    const json_part& tier = fields_.service_tier;
    if (tier.equals("flex") || tier.equals("priority")) {
        w.member("serviceTier", tier.raw);
    } else if (tier && !tier.equals("auto") && !tier.equals("default")) {
        drop("service_tier");
    }
}

/// Path of the call; characters that a path segment cannot hold are encoded.
std::string path_of(const translation_context& context) {
    constexpr std::string_view hex = "0123456789ABCDEF";
    std::string_view model = context.upstream_model;
    if (model.starts_with("models/")) {
        model.remove_prefix(7);
    }
    std::string path = "/models/";
    for (const char c : model) {
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                           c == '.' || c == '_' || c == '~';
        if (plain) {
            path += c;
        } else {
            const auto octet = static_cast<unsigned char>(c);
            path.append("%").append(1, hex[octet >> 4U]).append(1, hex[octet & 15U]);
        }
    }
    return path + (context.stream ? ":streamGenerateContent?alt=sse" : ":generateContent");
}

result<translated_request> gemini_writer::run() {
    google_ = member_of(fields_.extra_body.raw, "google");
    tools_ = {fields_.tools, fields_.tool_choice, static_cast<bool>(fields_.web_search_options)};
    result<void> ok = refuse_what_is_lost();
    if (!ok) {
        return ok.error();
    }
    ok = append_config();
    if (!ok) {
        return ok.error();
    }
    result<gemini_contents> contents = to_gemini_contents(fields_.messages.raw, model_);
    if (!contents) {
        return contents.error();
    }
    json_writer w(body_);
    if (!instructions_.empty()) {
        json_writer(contents->system).raw(instructions_);
    }
    if (!contents->system.empty()) {
        w.key("systemInstruction").open('{').key("parts").open('[').raw(contents->system).close(']').close('}');
    }
    w.key("contents").open('[').raw(contents->contents).close(']');
    ok = append_gemini_tools(w, tools_, model_);
    if (!ok) {
        return ok.error();
    }
    if (!config_.empty()) {
        w.key("generationConfig").open('{').raw(config_).close('}');
    }
    append_rest();
    w.close('}');
    translated_request made;
    made.path = path_of(context_);
    made.body = std::move(body_);
    made.dropped = std::move(fields_.dropped);
    return made;
}

}  // namespace

result<translated_request> to_gemini_request(std::string_view body, const translation_context& context) {
    return gemini_writer(body, context).run();
}

}  // namespace concurred::upstream
