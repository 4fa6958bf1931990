#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace concurred::bench {

/// What the mock provider reads from a request's body. All views point into the body.
struct mock_call {
    bool valid = false;         ///< the body is an object of this dialect and names a model
    std::string_view model;     ///< as it stands in the JSON text, with escapes
    std::string_view messages;  ///< the whole array of messages
    std::uint32_t max_tokens = UINT32_MAX;
    bool stream = false;
    bool include_usage = false;
};

/// What is known of an answer before it is put into a dialect's words. Views live until the call returns.
struct mock_reply {
    std::string_view model;    ///< as JSON text, with escapes
    std::string_view content;  ///< as JSON text, with escapes; of a plain answer
    std::uint32_t prompt_tokens = 0;
    std::uint32_t cached_tokens = 0;
    std::uint32_t completion_tokens = 0;
    std::uint32_t reasoning_tokens = 0;
    std::uint32_t tools = 0;       ///< > 0: the answer is that many tool calls
    std::uint32_t tool_chunk = 4;  ///< characters of tool arguments per event
    bool cut_off = false;          ///< the request's limit ended the answer
    bool with_usage = true;        ///< plain answer: has usage; stream: the usage chunk is sent
    bool usage_asked = false;      ///< the request asked for usage in the stream
    bool obfuscation = false;
};

/// A stream in pieces. Every string is one complete event with its blank line and may hold marks of `mock_stamp`.
struct mock_frames {
    std::vector<std::string> opening;   ///< sent with the first token, not paced
    std::vector<std::string> scripted;  ///< paced like tokens, sent before the generated ones
    std::string before_piece;           ///< a token's event up to its text …
    std::string after_piece;            ///< … and after it
    std::vector<std::string> closing;   ///< sent with the last token, not paced
    std::string end_mark;               ///< `data: [DONE]`, where the dialect has one
};

/// One provider's wire format. A new provider is one implementation and one line in `mock_dialects()`.
class mock_dialect {
public:
    /// Whether a POST to `path` (without query) is a chat request of this dialect.
    [[nodiscard]] virtual bool claims(std::string_view path) const noexcept = 0;
    /// Finds the few fields needed in `body`, by scanning.
    [[nodiscard]] virtual mock_call read(std::string_view body) const = 0;
    /// Whether the conversation ends with a tool's result.
    [[nodiscard]] virtual bool ends_with_tool_result(std::string_view messages) const = 0;
    /// The text of the last user message as JSON text with escapes; several parts are joined.
    [[nodiscard]] virtual std::string last_user_text(std::string_view messages) const = 0;
    /// How many scripted events the tool calls of `reply` take: its completion tokens.
    [[nodiscard]] virtual std::uint32_t tool_events(std::uint32_t tools, std::uint32_t tool_chunk) const = 0;
    /// The body of a plain answer; may hold marks of `mock_stamp`.
    [[nodiscard]] virtual std::string plain_body(const mock_reply& reply) const = 0;
    /// The events of a stream.
    [[nodiscard]] virtual mock_frames frames(const mock_reply& reply) const = 0;
    /// The body of an error answer. \param code replaces the usual error code of `status`, unless empty
    [[nodiscard]] virtual std::string error_body(unsigned status, std::string_view code,
                                                 std::string_view model) const = 0;
    /// A complete event that carries an error.
    [[nodiscard]] virtual std::string error_event() const = 0;

protected:
    ~mock_dialect() = default;
};

/// OpenAI's Chat Completions.
[[nodiscard]] const mock_dialect& openai_mock_dialect() noexcept;

/// All dialects, in the order in which they are asked whether a path is theirs.
[[nodiscard]] std::span<const mock_dialect* const> mock_dialects() noexcept;

}  // namespace concurred::bench
