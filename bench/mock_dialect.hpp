#pragma once

#include "bench/mock_request.hpp"
#include "bench/mock_settings.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace concurred::bench {

/// What becomes of a model's reasoning.
enum class mock_thoughts : std::uint8_t {
    none,    ///< the model does not reason
    hidden,  ///< counted, not shown
    shown,   ///< shown where settings ask for some
    asked,   ///< the request asks for it: there is some, whatever the settings
};

/// What the mock provider reads from a request. Views point into the request.
struct mock_call {
    bool valid = false;         ///< the body is an object of this dialect and a model is named
    std::string model;          ///< as JSON text, with escapes
    std::string_view messages;  ///< the whole array of messages
    std::uint32_t max_tokens = UINT32_MAX;
    bool stream = false;
    bool include_usage = false;
    mock_thoughts thoughts = mock_thoughts::hidden;
    std::uint64_t shape = 0;  ///< what else changes the answer, in the dialect's own terms
};

/// What is known of an answer before it is put into a dialect's words. Views live until the call returns.
struct mock_reply {
    std::string_view model;    ///< as JSON text, with escapes
    std::string_view content;  ///< as JSON text, with escapes; of a plain answer, and where a stream repeats its text
    std::string_view tool_name;
    std::string_view tool_arguments;  ///< of every call, as JSON text; empty: made up
    std::uint32_t prompt_tokens = 0;
    std::uint32_t cached_tokens = 0;     ///< part of the prompt, read from a cache
    std::uint32_t written_tokens = 0;    ///< part of the prompt, written to a cache
    std::uint32_t tokens = 0;            ///< of text or tool calls
    std::uint32_t reasoning_tokens = 0;  ///< besides `tokens`
    std::uint32_t thoughts = 0;          ///< pieces of reasoning that are shown
    std::uint32_t tools = 0;             ///< > 0: the answer is that many tool calls
    std::uint32_t chunk = 4;             ///< characters per event, of reasoning and tool arguments
    std::uint64_t shape = 0;             ///< of the call
    bool cut_off = false;                ///< the request's limit ended the answer
    bool with_usage = true;              ///< plain answer: has usage; stream: the usage chunk is sent
    bool usage_asked = false;            ///< the request asked for usage in the stream
    bool obfuscation = false;
    bool repeat_last = false;  ///< a stream's last event says everything again, where the dialect is known for it
};

/// One event of a stream between its opening and the generated tokens.
struct mock_event {
    std::string text;
    bool token = true;  ///< paced and counted as a token; else sent with the next one
};

/// A stream in pieces. Every string is one complete event with its blank line and may hold marks of `mock_stamp`.
struct mock_frames {
    std::vector<std::string> opening;  ///< sent with the first token, not paced
    std::vector<mock_event> scripted;  ///< reasoning and tool calls, before the generated tokens
    std::string before_piece;          ///< a token's event up to its text …
    std::string after_piece;           ///< … and after it; may hold the marks that count
    std::vector<std::string> closing;  ///< sent with the last token, not paced
    std::string end_mark;              ///< what `no-done` leaves out: `data: [DONE]`, or the event that ends a stream
    std::uint64_t count_from = 0;      ///< `count_mark` of the first generated token is one more
    std::uint64_t total_from = 0;      ///< the same of `total_mark`
};

/// An error of the mock's own: a request it refuses.
struct mock_failure {
    unsigned status = 400;
    std::string message;
    std::string code{};   ///< empty: what the dialect usually says for the status
    std::string param{};  ///< the field at fault, where the dialect has a place for it
};

/// One provider's wire format. A new provider is one implementation and one line in `mock_dialects()`.
class mock_dialect {
public:
    /// The name for the setting `flavour` and the ledger.
    [[nodiscard]] virtual std::string_view name() const noexcept = 0;
    /// Whether a POST to `path` (without query) is a request of this dialect that has settings and faults.
    [[nodiscard]] virtual bool claims(std::string_view path) const noexcept = 0;
    /// Whether other requests are this dialect's too, so that it words what they are told.
    [[nodiscard]] virtual bool owns(const mock_request& request) const noexcept { return claims(request.path); }
    /// The caller's credential; empty: none.
    [[nodiscard]] virtual std::string_view key_of(const mock_request& request) const noexcept { return request.key; }
    /// What a request without a good key is told.
    [[nodiscard]] virtual mock_failure bad_key(std::string_view key) const = 0;
    /// The answer to a request with a good key that `claims` does not cover, such as a list of models.
    [[nodiscard]] virtual std::optional<std::string> document(const mock_request& request,
                                                              std::span<const std::string> models) const = 0;

    /// Finds the few fields needed of a request, by scanning.
    [[nodiscard]] virtual mock_call read(const mock_request& request) const = 0;
    /// What is wrong with a request by the provider's published schema and rules.
    [[nodiscard]] virtual std::optional<mock_failure> check(const mock_request& request, const mock_call& call) const;
    /// Whether requests are checked unless settings say otherwise.
    [[nodiscard]] virtual bool strict() const noexcept { return true; }
    /// Whether the conversation ends with a tool's result.
    [[nodiscard]] virtual bool ends_with_tool_result(std::string_view messages) const = 0;
    /// The text of the last user message as JSON text with escapes; several parts are joined.
    [[nodiscard]] virtual std::string last_user_text(std::string_view messages) const = 0;

    /// How many tokens the tool calls of `reply` take in a stream.
    [[nodiscard]] virtual std::uint32_t tool_tokens(const mock_reply& reply) const = 0;
    /// Whether a stream says its whole text again, so that `content` is needed.
    [[nodiscard]] virtual bool repeats_text() const noexcept { return false; }
    /// The body of a plain answer; may hold marks of `mock_stamp`.
    [[nodiscard]] virtual std::string plain_body(const mock_reply& reply) const = 0;
    /// The events of a stream.
    [[nodiscard]] virtual mock_frames frames(const mock_reply& reply) const = 0;
    /// The media type of a stream.
    [[nodiscard]] virtual std::string_view stream_type() const noexcept { return "text/event-stream; charset=utf-8"; }

    /// The header fields of this provider besides those that every answer has; complete lines.
    [[nodiscard]] virtual std::string fields(const mock_settings& settings) const = 0;
    /// Whether `retry-after` and its kin are header fields here.
    [[nodiscard]] virtual bool retry_in_head() const noexcept { return true; }
    /// The HTTP status of an answer that the setting `status` asks for.
    [[nodiscard]] virtual unsigned error_status(unsigned status) const noexcept { return status; }
    /// The body of an error answer, by the settings `status`, `code` and those about retries; may hold marks.
    [[nodiscard]] virtual std::string error_body(const mock_settings& settings, std::string_view model) const = 0;
    /// A complete event that carries an error. \param code replaces the usual one, unless empty
    [[nodiscard]] virtual std::string error_event(std::string_view code) const = 0;
    /// The body for a refusal of the mock's own; may hold marks.
    [[nodiscard]] virtual std::string failure_body(const mock_failure& failure) const = 0;

protected:
    ~mock_dialect() = default;
};

[[nodiscard]] const mock_dialect& openai_mock_dialect() noexcept;      ///< Chat Completions
[[nodiscard]] const mock_dialect& xai_mock_dialect() noexcept;         ///< the same as xAI speaks it
[[nodiscard]] const mock_dialect& openrouter_mock_dialect() noexcept;  ///< the same as OpenRouter speaks it
[[nodiscard]] const mock_dialect& minimax_mock_dialect() noexcept;     ///< the same as MiniMax speaks it
[[nodiscard]] const mock_dialect& responses_mock_dialect() noexcept;   ///< OpenAI's Responses
[[nodiscard]] const mock_dialect& embeddings_mock_dialect() noexcept;  ///< OpenAI's Embeddings
[[nodiscard]] const mock_dialect& anthropic_mock_dialect() noexcept;   ///< Messages
[[nodiscard]] const mock_dialect& gemini_mock_dialect() noexcept;      ///< generateContent, streamGenerateContent

/// All dialects, in the order in which they are asked whether a request is theirs.
[[nodiscard]] std::span<const mock_dialect* const> mock_dialects() noexcept;

/// Whose request it is; OpenAI's if nobody's.
[[nodiscard]] const mock_dialect& mock_dialect_of(const mock_request& request) noexcept;

/// The dialect of that name, or null.
[[nodiscard]] const mock_dialect* find_mock_dialect(std::string_view name) noexcept;

}  // namespace concurred::bench
