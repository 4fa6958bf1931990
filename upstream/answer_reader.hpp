#pragma once

#include "gateway/base/error.hpp"
#include "gateway/base/usage_record.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace concurred::upstream {

/// What becomes of the bytes of a provider's answer on their way through a relay. One object for one answer; it does no
/// I/O, and however the bytes are cut, what it gives out is the same.
class answer_reader {
public:
    /// What a look at the payload yields.
    struct taken {
        std::string_view output;   ///< for the client; valid until the payload or the reader is touched again
        std::size_t consumed = 0;  ///< octets at the front of the payload that are done with; the rest is given again
    };

    answer_reader() = default;
    answer_reader(const answer_reader&) = delete;
    answer_reader& operator=(const answer_reader&) = delete;
    virtual ~answer_reader() = default;

    /// Looks at the payload of a stream.
    /// @param ended nothing follows it
    [[nodiscard]] virtual taken events(std::span<char> payload, bool ended) = 0;
    /// Looks at the payload of an answer that is no stream.
    /// Errors: it is no answer.
    [[nodiscard]] virtual base::result<taken> whole(std::span<char> payload, bool ended) = 0;

    /// Whether the octets of a whole answer go on as they come, or only once all of them are there.
    [[nodiscard]] virtual bool as_it_comes() const noexcept = 0;
    /// Something was given out that a reader of the answer would see, or the stream's end.
    [[nodiscard]] virtual bool content_seen() const noexcept = 0;
    /// The stream told its end: nothing of use follows.
    [[nodiscard]] virtual bool done() const noexcept = 0;
    /// What came of the stream is a whole answer.
    [[nodiscard]] virtual bool complete() const noexcept = 0;
    /// Half an event was given out: nothing else may come between.
    [[nodiscard]] virtual bool inside_event() const noexcept = 0;
    /// The JSON of the provider's error inside a successful answer; empty: none.
    [[nodiscard]] virtual std::string_view error_event() const noexcept = 0;
    /// Whether the client was given that error as it came; else somebody has to tell it.
    [[nodiscard]] virtual bool passes_errors() const noexcept = 0;

    [[nodiscard]] virtual const std::optional<base::token_counts>& usage() const noexcept = 0;
    /// Of the tokens written to a cache, those that are kept for an hour.
    [[nodiscard]] virtual std::uint64_t long_cache_writes() const noexcept { return 0; }
    /// What is known of the input when `usage` is not there.
    [[nodiscard]] virtual std::optional<base::token_counts> input_usage() const noexcept { return std::nullopt; }
    /// What the provider says that the call cost.
    [[nodiscard]] virtual std::optional<std::int64_t> cost_nano_usd() const noexcept { return std::nullopt; }
    /// Octets of content so far, for an estimate without figures; of a whole answer that goes on as it comes, all.
    [[nodiscard]] virtual std::uint64_t output_octets() const noexcept = 0;
};

}  // namespace concurred::upstream
