#pragma once

#include "gateway/base/error.hpp"
#include "gateway/base/usage_record.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace concurred::upstream {

/// What a translation needs to know besides the request itself. Views outlive the answer's translator.
struct translation_context {
    std::string_view upstream_model;      ///< what the provider calls the model
    std::string_view answer_model;        ///< what the client is told in `model`, when the provider does not say
    std::uint32_t max_output_tokens = 0;  ///< the model's ceiling; 0: not known
    bool stream = false;
    bool include_usage = false;  ///< a stream's last chunk carries usage for the client
    std::int64_t created = 0;    ///< Unix seconds, for answers without a time of their own
};

/// A chat completion in a provider's own words.
struct translated_request {
    std::string path;  ///< appended to the base URL, e.g. "/v1/messages"
    std::string body;
    std::vector<std::string> dropped;  ///< fields that only tune and that this provider lacks
    std::string extra_headers;         ///< complete lines with CR LF, besides credentials and content type
};

/// Reads a provider's answer and says it in OpenAI's words. Pure: bytes in, bytes out; however the input is cut, the
/// output is the same. One object for one answer.
class answer_translator {
public:
    answer_translator() = default;
    answer_translator(const answer_translator&) = delete;
    answer_translator& operator=(const answer_translator&) = delete;
    virtual ~answer_translator() = default;

    /// Takes the next bytes of a stream and appends complete `data: …` events for the client to `out`. After an error
    /// of the provider nothing is appended any more: who asks finds it in `error_event` and puts it into words.
    virtual void feed(std::string_view bytes, std::string& out) = 0;
    /// The stream's body is at its end: appends what is left, usage and `data: [DONE]` if the answer was whole. When it
    /// was not, `done` stays false, and who asks says so to the client.
    virtual void finish(std::string& out) = 0;

    /// Translates a whole answer that is no stream, status 2xx. Errors: `errc::upstream_error` for an answer that is
    /// none. A provider's own error in a 2xx body is in `error_event` then, and is taken from there.
    [[nodiscard]] virtual base::result<std::string> whole(std::string_view body) = 0;

    /// Something that a reader of the answer would see was appended, or its end.
    [[nodiscard]] bool content_seen() const noexcept { return content_seen_; }
    /// The provider said that its answer is at its end (also before the body is).
    [[nodiscard]] bool done() const noexcept { return done_; }
    /// The JSON of the error that the provider sent inside its stream; empty: none.
    [[nodiscard]] std::string_view error_event() const noexcept { return error_event_; }
    /// The provider's own figures, as far as they have come.
    [[nodiscard]] virtual const std::optional<base::token_counts>& usage() const noexcept { return usage_; }
    /// Those of the tokens written to a cache that are kept for an hour: they have a price of their own.
    [[nodiscard]] std::uint64_t long_cache_writes() const noexcept { return long_cache_writes_; }
    /// What the provider said of the input before its figures were complete, for an answer that breaks off.
    [[nodiscard]] const std::optional<base::token_counts>& input_usage() const noexcept { return input_usage_; }
    /// What the provider says that the call cost; most say nothing.
    [[nodiscard]] const std::optional<std::int64_t>& cost_nano_usd() const noexcept { return cost_nano_usd_; }
    /// Octets of text, reasoning and tool arguments so far, for an estimate without figures.
    [[nodiscard]] std::uint64_t output_octets() const noexcept { return output_octets_; }

protected:
    bool content_seen_ = false;
    bool done_ = false;
    std::string error_event_;
    std::optional<base::token_counts> usage_;
    std::optional<base::token_counts> input_usage_;
    std::uint64_t long_cache_writes_ = 0;
    std::optional<std::int64_t> cost_nano_usd_;
    std::uint64_t output_octets_ = 0;
};

/// A provider's wire format, seen from OpenAI's. Stateless; one object serves all shards.
class dialect {
public:
    dialect() = default;
    dialect(const dialect&) = delete;
    dialect& operator=(const dialect&) = delete;
    virtual ~dialect() = default;

    /// Translates the body of a chat completion.
    /// @param body valid JSON, checked by `parse_chat_request`; without the gateway's own fields or with them (ignored)
    /// Errors: bad_request that names the field which this provider cannot do and whose loss would change the meaning.
    [[nodiscard]] virtual base::result<translated_request> request(std::string_view body,
                                                                   const translation_context& context) const = 0;

    /// The translator of the answer to that request.
    /// @param body the client's request, valid for the call: what the answer needs of it (tool names, `n`) is copied
    [[nodiscard]] virtual std::unique_ptr<answer_translator> answer(std::string_view body,
                                                                    const translation_context& context) const = 0;
};

/// Anthropic's Messages API.
[[nodiscard]] const dialect& anthropic_dialect() noexcept;
/// Google's generateContent and streamGenerateContent.
[[nodiscard]] const dialect& google_dialect() noexcept;
/// OpenAI's own with the quirks of those who follow it.
[[nodiscard]] const dialect& x_ai_dialect() noexcept;
[[nodiscard]] const dialect& openrouter_dialect() noexcept;
[[nodiscard]] const dialect& minimax_dialect() noexcept;

}  // namespace concurred::upstream
