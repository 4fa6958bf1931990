#pragma once

#include "upstream/anthropic_citations.hpp"
#include "upstream/anthropic_counts.hpp"
#include "upstream/chunk_writer.hpp"
#include "upstream/dialect.hpp"
#include "upstream/json_parts.hpp"
#include "upstream/sse_events.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace concurred::upstream {

/// Reads an answer of Anthropic's Messages API and says it in OpenAI's words. Text goes over as it is written in the
/// JSON: it is not decoded and encoded again.
class anthropic_answer final : public answer_translator {
public:
    /// @param answer_tool name of a tool whose input is the answer itself; empty: none
    anthropic_answer(const translation_context& context, std::string answer_tool);

    void feed(std::string_view bytes, std::string& out) override;
    void finish(std::string& out) override;
    [[nodiscard]] base::result<std::string> whole(std::string_view body) override;

private:
    enum class block_kind : std::uint8_t { none, text, tool, answer, thinking, other };

    /// The content block that is open; Anthropic has one at a time.
    struct block {
        block_kind kind = block_kind::none;
        std::uint64_t tool = 0;     ///< number of the tool call
        bool any_argument = false;  ///< something of its arguments was put out
        std::string input;          ///< of a tool, as it was given at its start
        std::string thinking;       ///< inside of a JSON string
        std::string signature;      ///< inside of a JSON string
    };

    bool take(std::string_view event, std::string& out);
    void begin(json_part message, std::string& out);
    void begin_block(json_part given, std::string& out);
    void take_delta(json_part delta, std::string& out);
    void take_text(json_part text, std::string& out);
    void take_thinking(json_part text, std::string& out);
    void take_arguments(json_part piece, std::string& out);
    void end_block(std::string& out);
    void take_end(json_part delta, json_part usage, std::string& out);
    void end_stream(std::string& out);
    bool fail(std::string_view event);
    void fail_because(std::string_view why);
    void put(std::string_view member, std::string_view raw, std::string& out);
    void put_arguments(std::string_view inside, std::string& out);
    void put_details(std::string_view item, std::string& out);

    std::string_view answer_model_;
    std::int64_t created_;
    bool include_usage_;
    std::string answer_tool_;
    sse_events events_;
    chunk_writer chunks_;
    anthropic_counts counts_;
    anthropic_citations citations_;
    block block_;
    std::uint64_t tools_ = 0;
    std::uint64_t thoughts_ = 0;
    bool block_seen_ = false;
    bool answered_by_tool_ = false;
    bool stopped_ = false;  // a stop_reason came
};

/// An item of `reasoning_details` that holds a thought with its signature, or an encrypted one; the parts are insides
/// of JSON strings.
[[nodiscard]] std::string thought_item(std::string_view thinking, std::string_view signature, std::uint64_t index);
[[nodiscard]] std::string redacted_item(std::string_view data, std::uint64_t index);

}  // namespace concurred::upstream
