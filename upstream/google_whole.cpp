#include "gateway/http/json_string.hpp"
#include "upstream/google_answer.hpp"
#include "upstream/json_writer.hpp"
#include "upstream/provider_error.hpp"

#include <chrono>

namespace concurred::upstream {

namespace {

using base::result;
using http::json_member;
using http::json_reader;

}  // namespace

base::error google_answer::error_of(std::string_view body) {
    fail(body);
    return error_from_answer({.status = 200, .body = body, .provider = "google"}, std::chrono::system_clock::now());
}

result<std::string> google_answer::whole(std::string_view body) {
    const auto e = read_gemini_event(body);
    if (e && e->error) {
        return error_of(body);
    }
    if (!e || (!e->candidates.is_array() && !e->blocked())) {
        return base::upstream_error(base::errc::upstream_error,
                                    "The provider 'google' sent an answer that is no GenerateContentResponse.");
    }
    begin(*e);
    blocked_ = e->blocked();
    json_reader candidates(e->candidates.is_array() ? e->candidates.raw : std::string_view("[]"));
    while (const json_member* m = candidates.next()) {
        add_candidate(m->value);
    }
    if (choices_.empty()) {
        choices_.resize(1);
    }
    for (choice& c : choices_) {
        if (c.finish == gemini_finish::none && !blocked_) {
            c.finish = gemini_finish::unknown;
        }
        if (const std::string_view fault = fault_of(c); !fault.empty()) {
            return error_of(fault);
        }
    }
    done_ = content_seen_ = true;
    return render();
}

void google_answer::add_candidate(std::string_view json) {
    const gemini_candidate candidate = read_gemini_candidate(json);
    if (choices_.size() <= candidate.index) {
        choices_.resize(candidate.index + 1);
    }
    choice& c = choices_[candidate.index];
    json_reader parts(candidate.parts.is_array() ? candidate.parts.raw : std::string_view("[]"));
    while (const json_member* m = parts.next()) {
        add_part(read_gemini_part(m->value), c, candidate.index);
    }
    c.finish = read_gemini_finish(candidate.finish);
    c.grounding.take(candidate.grounding);
    c.grounding.text(c.text);
    c.logprobs = openai_logprobs(candidate.logprobs);
}

void google_answer::add_part(const gemini_part& part, choice& c, unsigned index) {
    switch (part.what) {
        case gemini_part::kind::text:
        case gemini_part::kind::thought: {
            const bool thought = part.what == gemini_part::kind::thought;
            (thought ? c.reasoning : c.text) += part.text.inside();
            c.content = c.content || (!thought && !part.text.is_empty_string());
            output_octets_ += http::json_unescaped_size(part.text.inside());
            if (part.signature) {
                std::string one;
                append_signature(one, part, c);
                // Without `"reasoning_details":[` and `]`: the items are put together later.
                const std::size_t open = one.find('[') + 1;
                json_writer(c.details).raw(std::string_view(one).substr(open, one.size() - open - 1));
            }
            break;
        }
        case gemini_part::kind::call:
            if (!is_surplus(part, c)) {
                append_call(c.tool_calls, part, c, index, false);
            }
            break;
        case gemini_part::kind::image:
            append_picture(c.pictures, part, c);
            break;
        case gemini_part::kind::other:
            break;
    }
}

std::string google_answer::render() const {
    std::string out;
    json_writer w(out);
    w.open('{').text_member("id", id_).text_member("object", "chat.completion");
    w.member("created", std::to_string(settings_.created)).text_member("model", model_).key("choices").open('[');
    for (unsigned i = 0; i != choices_.size(); ++i) {
        const choice& c = choices_[i];
        w.open('{').number_member("index", i).key("message").open('{').text_member("role", "assistant").key("content");
        if (c.text.empty()) {
            w.raw("null");
        } else {
            w.raw("");
            out.append("\"").append(c.text).append("\"");
        }
        w.member("refusal", "null");
        if (!c.reasoning.empty()) {
            w.key("reasoning_content").raw("");
            out.append("\"").append(c.reasoning).append("\"");
        }
        const std::string pages = c.grounding.annotations();
        for (const auto& [name, list] : {std::pair{"reasoning_details", &c.details}, std::pair{"annotations", &pages},
                                         std::pair{"tool_calls", &c.tool_calls}, std::pair{"images", &c.pictures}}) {
            if (!list->empty()) {
                w.key(name).open('[').raw(*list).close(']');
            }
        }
        w.close('}').member("logprobs", c.logprobs.empty() ? std::string_view("null") : std::string_view(c.logprobs));
        w.text_member("finish_reason", blocked_ ? "content_filter" : finish_reason_of(c.finish, c.calls != 0));
        w.close('}');
    }
    w.close(']');
    if (usage()) {
        w.key("usage").raw("");
        append_usage(out, *usage());
    }
    w.close('}');
    return out;
}

}  // namespace concurred::upstream
