#pragma once

#include "gateway/base/usage_record.hpp"
#include "upstream/json_parts.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace concurred::upstream {

/// A GenerateContentResponse, which is a whole answer or one event of a stream.
struct gemini_event {
    json_part candidates;
    json_part feedback;  ///< `promptFeedback`
    json_part usage;
    json_part model;
    json_part id;
    json_part error;

    /// The prompt was refused, so there are no candidates.
    [[nodiscard]] bool blocked() const;
};

/// @return nothing when it is no valid object. An error in brackets, as Google's stream endpoint sends it, is unpacked.
[[nodiscard]] std::optional<gemini_event> read_gemini_event(std::string_view json);

struct gemini_candidate {
    json_part parts;
    json_part finish;
    json_part logprobs;
    json_part grounding;  ///< `groundingMetadata`
    unsigned index = 0;
};

[[nodiscard]] gemini_candidate read_gemini_candidate(std::string_view json);

/// A part of a candidate's content.
struct gemini_part {
    enum class kind : std::uint8_t { text, thought, call, image, other };
    kind what = kind::other;
    json_part text;
    json_part signature;  ///< a string, or absent
    json_part id;
    json_part name;
    json_part args;
    json_part media_type;
    json_part data;
};

[[nodiscard]] gemini_part read_gemini_part(std::string_view json);

/// `usageMetadata` as it grows: the last figure of each kind counts.
class gemini_usage {
public:
    void take(const json_part& metadata);
    /// Nothing came so far: no figures.
    [[nodiscard]] std::optional<base::token_counts> counts() const noexcept;

private:
    std::optional<std::uint64_t> prompt_;
    std::uint64_t tool_prompt_ = 0;
    std::uint64_t cached_ = 0;
    std::uint64_t candidates_ = 0;
    std::uint64_t thoughts_ = 0;
};

/// How a candidate ended, in OpenAI's words.
enum class gemini_finish : std::uint8_t {
    none,  ///< it has not
    stop,  ///< also when it called functions
    length,
    filter,    ///< `content_filter`
    bad_call,  ///< the model made a function call that is none
    unknown,   ///< for no reason that we know
};

[[nodiscard]] gemini_finish read_gemini_finish(const json_part& reason);

/// OpenAI's `finish_reason`; empty for `none`.
[[nodiscard]] std::string_view finish_reason_of(gemini_finish finish, bool called) noexcept;

/// `logprobsResult` as OpenAI's `logprobs`; empty when there is none.
[[nodiscard]] std::string openai_logprobs(const json_part& result);

/// The error of an answer that holds nothing but a broken function call, and of one that holds nothing at all, in
/// OpenAI's form.
inline constexpr std::string_view bad_call_error =
    R"({"error":{"message":"The upstream model produced an invalid function call.","type":"server_error",)"
    R"("param":null,"code":"malformed_function_call"}})";
inline constexpr std::string_view no_content_error =
    R"({"error":{"message":"The upstream model ended its answer without content.","type":"server_error",)"
    R"("param":null,"code":"upstream_error"}})";

}  // namespace concurred::upstream
