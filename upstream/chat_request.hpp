#pragma once

#include "gateway/base/error.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace concurred::upstream {

/// Bytes [begin, end) of a body.
struct byte_range {
    std::size_t begin = 0;
    std::size_t end = 0;
};

/// What the gateway reads of a chat completion request. Everything else of the body is the provider's business and
/// stays as it is. All views and offsets belong to the parsed body, which must outlive this. An optional field that is
/// absent or null has an empty view.
struct chat_request {
    /// Model id or alias as the client means it, escapes decoded.
    [[nodiscard]] std::string_view model() const noexcept {
        return model_decoded.empty() ? model_text.substr(1, model_text.size() - 2) : std::string_view(model_decoded);
    }
    /// The members to leave out of the upstream body, as ranges to cut with the right comma: ascending and disjoint.
    [[nodiscard]] std::span<const byte_range> cuts() const noexcept { return {cut_ranges.data(), cut_count}; }

    std::string_view model_text;      ///< with its quotes
    std::string model_decoded;        ///< only when the client wrote the model with escapes
    std::string_view messages;        ///< a non-empty array
    std::string_view stream_options;  ///< an object, or `null` when the client wrote that
    bool stream = false;
    bool include_usage = false;  ///< the client asked for the usage event of a stream

    std::string_view include_usage_value;  ///< inside stream_options; empty when absent
    std::size_t stream_options_end = 0;    ///< offset where a further member of stream_options goes
    bool stream_options_empty = true;      ///< it has no member yet
    std::size_t members_end = 0;           ///< offset behind the last member of the body

    // Looked at, and left where they are.
    std::string_view tools;           ///< of any kind: see `check_tools`
    std::string_view tool_choice;     ///< of any kind
    std::string_view max_tokens_key;  ///< the name `max_tokens` as it stands in the body, without its quotes
    bool limits_completion = false;   ///< `max_completion_tokens` is given
    bool names_effort = false;        ///< `reasoning_effort` is given

    // Fields that the gateway itself acts on. They never reach the provider.
    std::optional<unsigned> retries;                   ///< 0 ... 5
    std::optional<std::chrono::milliseconds> timeout;  ///< 1 ms ... 300 s
    std::string_view fallback;                         ///< array of at most `max_fallbacks` non-empty strings
    std::string_view load_balance;                     ///< object
    std::string_view guardrails;                       ///< object
    std::string_view prompt_id;                        ///< non-empty string with its quotes
    std::string_view prompt_version;                   ///< positive integer
    std::string_view prompt_variables;                 ///< object

    std::array<byte_range, 8> cut_ranges;
    std::size_t cut_count = 0;
};

inline constexpr unsigned max_retries = 5;
inline constexpr std::chrono::milliseconds max_timeout{300'000};
inline constexpr unsigned max_fallbacks = 8;

/// Parses the body of a chat completion in one pass, without an allocation unless the model is written with escapes.
/// \param body  must outlive the result
/// \return errc::bad_request for what is no JSON object (the message says where), for a field the gateway reads that is
///         given twice in any spelling, is written in other letter case, or has a wrong type or range (`param` names
///         it); errc::missing_required_field for an absent `model` or `messages`
[[nodiscard]] base::result<chat_request> parse_chat_request(std::string_view body);

}  // namespace concurred::upstream
