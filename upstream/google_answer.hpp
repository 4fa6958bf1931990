#pragma once

#include "upstream/chunk_writer.hpp"
#include "upstream/dialect.hpp"
#include "upstream/google_event.hpp"
#include "upstream/google_grounding.hpp"
#include "upstream/sse_events.hpp"
#include "upstream/token_pattern.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace concurred::upstream {

/// Reads the answers of Gemini. Texts and names are copied as the provider escaped them, so that a token costs no
/// decoding.
class google_answer final : public answer_translator {
public:
    struct settings {
        std::string model;  ///< for answers that do not name one
        std::int64_t created = 0;
        bool include_usage = false;
        bool one_call = false;    ///< the client wants no parallel calls: Gemini cannot be told, so others are left out
        bool searches = false;    ///< a web search was asked for, so the answer may name its pages
        unsigned candidates = 1;  ///< how many were asked for
    };

    explicit google_answer(settings s) : settings_(std::move(s)) {}

    void feed(std::string_view bytes, std::string& out) override;
    void finish(std::string& out) override;
    [[nodiscard]] base::result<std::string> whole(std::string_view body) override;
    [[nodiscard]] const std::optional<base::token_counts>& usage() const noexcept override;

private:
    /// One of the alternatives that were asked for.
    struct choice {
        bool begun = false;  // its role was said
        bool content = false;
        unsigned calls = 0;
        unsigned images = 0;
        unsigned signatures = 0;
        gemini_finish finish = gemini_finish::none;
        gemini_grounding grounding;
        // Of a whole answer only:
        std::string text;
        std::string reasoning;
        std::string details;
        std::string tool_calls;
        std::string pictures;
        std::string logprobs;
    };

    [[nodiscard]] bool event(std::string_view data, std::string& out);
    [[nodiscard]] bool is_known_shape(std::string_view data, std::string& out);
    void learn_shape(std::string_view data, const gemini_event& e, std::string_view out);
    void begin(const gemini_event& e);
    [[nodiscard]] choice& choice_at(unsigned index, std::string& out);
    void stream_candidate(std::string_view json, std::string& out);
    void stream_part(const gemini_part& part, unsigned index, std::string& out, std::string& logprobs);
    void add_candidate(std::string_view json);
    void add_part(const gemini_part& part, choice& c, unsigned index);
    void append_call(std::string& out, const gemini_part& part, choice& c, unsigned index, bool with_index);
    void append_signature(std::string& out, const gemini_part& part, choice& c);
    void append_picture(std::string& out, const gemini_part& part, choice& c);
    [[nodiscard]] std::string call_id(const gemini_part& part, unsigned index, unsigned number);
    [[nodiscard]] bool is_surplus(const gemini_part& part, const choice& c) const noexcept;
    void check_end();
    [[nodiscard]] std::string_view fault_of(const choice& c) const noexcept;
    void fail(std::string_view error);
    [[nodiscard]] base::error error_of(std::string_view body);
    [[nodiscard]] std::string render() const;

    settings settings_;
    sse_events events_;
    chunk_writer chunks_;
    mutable gemini_usage figures_;
    mutable std::optional<base::token_counts> read_usage_;
    mutable std::string unread_usage_;     // of events of a known shape: read when somebody asks
    std::array<token_pattern, 2> shapes_;  // of events with a text alone, and with a thought alone
    std::vector<choice> choices_;
    std::string id_;
    std::string model_;
    bool blocked_ = false;
};

}  // namespace concurred::upstream
