#include "upstream/body_splice.hpp"

#include "gateway/http/json_string.hpp"

#include <algorithm>

namespace concurred::upstream {

namespace {

/// Bytes of the body that something else takes the place of.
struct edit {
    byte_range range;
    std::string_view replacement;
};

/// The edits of one body; each new one is put where its offset says, since models stand anywhere.
class edit_list {
public:
    void add(byte_range range, std::string_view replacement) noexcept {
        std::size_t at = count_;
        // An insertion behind the last member and the cut of that member share an offset's neighbourhood but never
        // overlap: the cut ends where the insertion begins.
        for (; at > 0 && edits_[at - 1].range.begin > range.begin; --at) {
            edits_[at] = edits_[at - 1];
        }
        edits_[at] = {range, replacement};
        ++count_;
    }

    [[nodiscard]] spliced_body apply(std::string_view body) const noexcept {
        spliced_body out;
        std::size_t done = 0;
        for (const edit& e : std::span(edits_.data(), count_)) {
            out.add(body.substr(done, e.range.begin - done));
            out.add(e.replacement);
            done = e.range.end;
        }
        out.add(body.substr(done));
        return out;
    }

private:
    std::array<edit, 12> edits_;  // eight cuts, model, usage, limit, effort
    std::size_t count_ = 0;
};

byte_range range_of(std::string_view part, std::string_view body) noexcept {
    const auto begin = static_cast<std::size_t>(part.data() - body.data());
    return {begin, begin + part.size()};
}

void ask_for_usage(edit_list& edits, std::string_view body, const chat_request& request) noexcept {
    if (request.include_usage) {
        return;
    }
    if (!request.include_usage_value.empty()) {
        edits.add(range_of(request.include_usage_value, body), "true");
    } else if (request.stream_options == "null") {
        edits.add(range_of(request.stream_options, body), R"({"include_usage":true})");
    } else if (!request.stream_options.empty()) {
        edits.add({request.stream_options_end, request.stream_options_end},
                  request.stream_options_empty ? R"("include_usage":true)" : R"(,"include_usage":true)");
    } else {
        edits.add({request.members_end, request.members_end}, R"(,"stream_options":{"include_usage":true})");
    }
}

}  // namespace

void spliced_body::add(std::string_view piece) noexcept {
    if (!piece.empty()) {
        pieces_[count_++] = piece;
        size_ += piece.size();
    }
}

std::string spliced_body::joined() const {
    std::string all;
    all.reserve(size_);
    for (const std::string_view piece : pieces()) {
        all += piece;
    }
    return all;
}

spliced_body splice_body(std::string_view body, const chat_request& request, std::string_view upstream_model,
                         bool ask_usage, std::string& scratch, const body_fixes& fixes) {
    edit_list edits;
    for (const byte_range& cut : request.cuts()) {
        edits.add(cut, {});
    }
    if (request.model() != upstream_model) {
        byte_range quoted = range_of(request.model_text, body);
        if (http::is_plain_json_text(upstream_model)) {
            edits.add({quoted.begin + 1, quoted.end - 1}, upstream_model);
        } else {
            scratch.clear();
            http::append_json_string(scratch, upstream_model);
            edits.add(quoted, scratch);
        }
    }
    if (ask_usage && request.stream) {
        ask_for_usage(edits, body, request);
    }
    if (fixes.rename_max_tokens) {
        edits.add(range_of(request.max_tokens_key, body), "max_completion_tokens");
    }
    if (fixes.no_reasoning) {
        edits.add({request.members_end, request.members_end}, R"(,"reasoning_effort":"none")");
    }
    return edits.apply(body);
}

}  // namespace concurred::upstream
