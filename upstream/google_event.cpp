#include "upstream/google_event.hpp"

#include "gateway/http/json_string.hpp"
#include "upstream/json_writer.hpp"

#include <algorithm>
#include <array>

namespace concurred::upstream {

namespace {

using http::json_member;
using http::json_reader;

constexpr unsigned most_indexes = 64;

void append_token(json_writer& w, const json_part& candidate) {
    json_part token;
    json_part logprob;
    read_members(candidate.raw, {{"token", &token}, {"logProbability", &logprob}});
    w.member("token", token.is_string() ? token.raw : std::string_view("\"\""));
    w.member("logprob", logprob.is_number() ? logprob.raw : std::string_view("0")).member("bytes", "null");
}

/// The alternatives at one place: `{"candidates":[…]}`.
void append_alternatives(json_writer& w, const json_part& place) {
    w.key("top_logprobs").open('[');
    const json_part candidates = member_of(place.raw, "candidates");
    json_reader elements(candidates.list());
    while (const json_member* m = elements.next()) {
        w.open('{');
        append_token(w, json_part(*m));
        w.close('}');
    }
    w.close(']');
}

}  // namespace

bool gemini_event::blocked() const {
    const bool none = !candidates.is_array() || json_reader(candidates.raw).next() == nullptr;
    return none && member_of(feedback.raw, "blockReason").is_string();
}

std::optional<gemini_event> read_gemini_event(std::string_view json) {
    const json_part whole(json);
    if (whole.is_array()) {
        json_reader elements(whole.raw);
        const json_member* const first = elements.next();
        return first != nullptr && first->kind == http::json_kind::object ? read_gemini_event(first->value)
                                                                          : std::nullopt;
    }
    gemini_event e;
    const bool valid = read_members(whole.raw, {{"candidates", &e.candidates},
                                                {"promptFeedback", &e.feedback},
                                                {"usageMetadata", &e.usage},
                                                {"modelVersion", &e.model},
                                                {"responseId", &e.id},
                                                {"error", &e.error}});
    return valid ? std::optional(e) : std::nullopt;
}

gemini_candidate read_gemini_candidate(std::string_view json) {
    gemini_candidate c;
    json_part content;
    json_part index;
    read_members(json, {{"content", &content},
                        {"finishReason", &c.finish},
                        {"index", &index},
                        {"logprobsResult", &c.logprobs},
                        {"groundingMetadata", &c.grounding}});
    c.parts = member_of(content.raw, "parts");
    c.index = static_cast<unsigned>(std::min<std::uint64_t>(index.count(), most_indexes - 1));
    return c;
}

gemini_part read_gemini_part(std::string_view json) {
    gemini_part p;
    json_part thought;
    json_part call;
    json_part data;
    read_members(json, {{"text", &p.text},
                        {"thought", &thought},
                        {"functionCall", &call},
                        {"thoughtSignature", &p.signature},
                        {"inlineData", &data}});
    if (!p.signature.is_string() || p.signature.is_empty_string()) {
        p.signature = {};
    }
    if (call.is_object()) {
        p.what = gemini_part::kind::call;
        read_members(call.raw, {{"id", &p.id}, {"name", &p.name}, {"args", &p.args}});
    } else if (p.text.is_string()) {
        p.what = thought.is_true() ? gemini_part::kind::thought : gemini_part::kind::text;
    } else if (data.is_object()) {
        read_members(data.raw, {{"mimeType", &p.media_type}, {"data", &p.data}});
        const bool image = p.media_type.is_string() && p.data.is_string();
        p.what = image && !thought.is_true() ? gemini_part::kind::image : gemini_part::kind::other;
    }
    return p;
}

void gemini_usage::take(const json_part& metadata) {
    if (!metadata.is_object()) {
        return;
    }
    json_part prompt;
    json_part tool_prompt;
    json_part cached;
    json_part candidates;
    json_part thoughts;
    read_members(metadata.raw, {{"promptTokenCount", &prompt},
                                {"toolUsePromptTokenCount", &tool_prompt},
                                {"cachedContentTokenCount", &cached},
                                {"candidatesTokenCount", &candidates},
                                {"thoughtsTokenCount", &thoughts}});
    if (prompt) {
        prompt_ = prompt.count();
    }
    for (const auto& [part, figure] : {std::pair{&tool_prompt, &tool_prompt_}, std::pair{&cached, &cached_},
                                       std::pair{&candidates, &candidates_}, std::pair{&thoughts, &thoughts_}}) {
        if (*part) {
            *figure = part->count();
        }
    }
}

std::optional<base::token_counts> gemini_usage::counts() const noexcept {
    if (!prompt_) {
        return std::nullopt;
    }
    base::token_counts c;
    c.cache_read = std::min(cached_, *prompt_ + tool_prompt_);
    c.prompt = *prompt_ + tool_prompt_ - c.cache_read;
    c.completion = candidates_;
    c.reasoning = thoughts_;  // not a part of the candidates' figure
    return c;
}

gemini_finish read_gemini_finish(const json_part& reason) {
    if (!reason.is_string()) {
        return gemini_finish::none;
    }
    const auto is_one_of = [&reason](auto... words) { return (reason.equals(words) || ...); };
    if (is_one_of("STOP")) {
        return gemini_finish::stop;
    }
    if (is_one_of("MAX_TOKENS", "CONTINUATION")) {
        return gemini_finish::length;
    }
    if (is_one_of("SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "LANGUAGE", "IMAGE_SAFETY",
                  "IMAGE_PROHIBITED_CONTENT", "IMAGE_RECITATION", "MODEL_ARMOR", "JAILBREAK")) {
        return gemini_finish::filter;
    }
    if (is_one_of("MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "TOO_MANY_TOOL_CALLS")) {
        return gemini_finish::bad_call;
    }
    return gemini_finish::unknown;
}

std::string_view finish_reason_of(gemini_finish finish, bool called) noexcept {
    switch (finish) {
        case gemini_finish::none:
            return {};
        case gemini_finish::length:
            return "length";  // also when functions were called: their arguments may be cut
        case gemini_finish::filter:
            return "content_filter";
        default:
            return called ? "tool_calls" : "stop";
    }
}

std::string openai_logprobs(const json_part& result) {
    if (!result.is_object()) {
        return {};
    }
    json_part chosen;
    json_part top;
    read_members(result.raw, {{"chosenCandidates", &chosen}, {"topCandidates", &top}});
    std::string out;
    json_writer w(out);
    w.open('{').key("content").open('[');
    json_reader tokens(chosen.list());
    json_reader places(top.list());
    while (const json_member* token = tokens.next()) {
        const json_member* const place = places.next();
        w.open('{');
        append_token(w, json_part(*token));
        append_alternatives(w, place == nullptr ? json_part() : json_part(*place));
        w.close('}');
    }
    w.close(']').member("refusal", "null").close('}');
    return out;
}

}  // namespace concurred::upstream
