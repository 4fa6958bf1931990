#pragma once

#include "gateway/base/usage_record.hpp"
#include "gateway/http/sse_frame.hpp"
#include "upstream/json_usage.hpp"
#include "upstream/key_finder.hpp"
#include "upstream/sse_events.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace concurred::upstream {

/// What to do about usage events, which the gateway asks the provider for in any case.
enum class usage_events : std::uint8_t {
    keep,   ///< the client asked for them too: every byte goes through
    strip,  ///< take events out that carry usage and no choice
};

/// Watches an event stream of an OpenAI-shape provider pass through the caller's read buffer. It changes no byte but,
/// on request, takes usage events out. However the bytes are cut, what is forwarded and what was seen are the same.
///
/// An event longer than the hold limit is forwarded as it comes and watched less closely: its usage and its finish
/// reason are still found, and all its bytes count as output. One that is longer than `max_event` is an error, and
/// nothing behind that place is forwarded.
class stream_meter {
public:
    static constexpr std::size_t default_hold_limit = std::size_t{64} * 1024;
    /// Longest event, in bytes, as for streams that are translated.
    static constexpr std::size_t max_event = sse_events::max_event;
    /// Bytes of an error's message and code that are kept.
    static constexpr std::size_t max_error_text = 512;

    /// What a call did with its bytes: the first `forward` of them are to be sent to the client now, and the last
    /// `hold` of them must be given again, followed by what is read next. What lies between is to be forgotten.
    struct split {
        std::size_t forward = 0;
        std::size_t hold = 0;
    };

    /// \param hold_limit  longest event, in bytes, that is held until it is complete
    explicit stream_meter(usage_events mode, std::size_t hold_limit = default_hold_limit) noexcept;

    /// Takes the bytes that the last call told to hold, and new ones behind them. Bytes are moved within the span when
    /// an event is taken out.
    [[nodiscard]] split feed(std::span<char> bytes);

    /// Ends the stream. A last event without its blank line counts.
    /// \param held  the bytes that the last call told to hold
    [[nodiscard]] split finish(std::span<char> held);

    /// The last valid usage figures.
    [[nodiscard]] const std::optional<base::token_counts>& usage() const noexcept { return usage_; }
    /// `[DONE]` came.
    [[nodiscard]] bool done() const noexcept { return done_; }
    /// A finish_reason that is not null came.
    [[nodiscard]] bool finished() const noexcept { return finished_; }
    /// Something came that a reader of the answer would see, or its end; not mere role and empty deltas, and no error.
    [[nodiscard]] bool content_seen() const noexcept { return content_seen_; }
    /// Part of an event was forwarded, and its end was not: nothing else may come between.
    [[nodiscard]] bool inside_event() const noexcept { return long_event_; }
    /// An event was longer than `max_event`: the stream cannot be read any further. The error is our own then.
    [[nodiscard]] bool too_long() const noexcept { return too_long_; }
    /// An error came inside the stream. The first one is kept.
    [[nodiscard]] bool failed() const noexcept { return !error_event_.empty(); }
    /// The JSON of the event with the error, whole.
    [[nodiscard]] std::string_view error_event() const noexcept { return error_event_; }
    /// The provider's words, each cut at `max_error_text` bytes. Not scrubbed of secrets.
    [[nodiscard]] std::string_view error_message() const noexcept { return error_message_; }
    [[nodiscard]] std::string_view error_code() const noexcept { return error_code_; }

    /// About how many bytes of text, reasoning and tool calls came, in UTF-8 without JSON's escapes.
    [[nodiscard]] std::uint64_t output_bytes() const noexcept;
    /// Output tokens when the provider gave no figures: one per four bytes, rounded up.
    [[nodiscard]] std::uint64_t estimated_output_tokens() const noexcept { return (output_bytes() + 3) / 4; }

private:
    bool observe(std::string_view event, unsigned lines);
    bool observe_data(std::string_view data);
    void keep_error(std::string_view json);
    void take_long(std::string_view part);
    void end_event() noexcept;

    const usage_events mode_;
    bool long_event_ = false;  ///< the current event is over the hold limit
    bool too_long_ = false;
    bool first_event_ = true;
    bool last_dropped_ = false;  ///< the event before the current one was taken out
    bool done_ = false;
    bool finished_ = false;
    bool content_seen_ = false;
    const std::size_t hold_limit_;
    std::size_t long_size_ = 0;  ///< bytes of the long event so far
    std::size_t scanned_ = 0;    ///< held bytes that are known to have no event end
    http::sse_framer framer_;
    std::uint64_t text_bytes_ = 0;
    std::uint64_t details_bytes_ = 0;
    std::uint64_t message_bytes_ = 0;
    std::optional<base::token_counts> usage_;
    json_usage_scanner long_usage_;
    key_finder long_finish_{"\"finish_reason\""};
    std::string scratch_;  ///< data of an event with several data lines
    std::string error_event_;
    std::string error_message_;
    std::string error_code_;
};

}  // namespace concurred::upstream
