#pragma once

#include "bench/mock_answer_cache.hpp"
#include "bench/mock_pace.hpp"
#include "bench/mock_template.hpp"
#include "gateway/base/clock.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace concurred::bench {

/// What the connection does once the bytes of a step are written.
struct mock_step {
    enum class action {
        more,   ///< ask for the next step
        wait,   ///< ask for the next step at `until`
        keep,   ///< the answer is complete, the connection goes on
        close,  ///< the answer is complete, close in order
        cut,    ///< the answer is broken off: close in order
        reset,  ///< the answer is broken off: TCP reset
        stall,  ///< nothing more until the peer goes
    };
    action then = action::keep;
    base::steady_time until{};
    std::chrono::microseconds byte_gap{0};  ///< > 0: write the bytes one by one, this far apart
};

/// One answer in the making: decides what is sent when. No I/O and no clock of its own.
class mock_script {
public:
    /// Starts an answer. \param stamp number and time of this request \param now when the request was complete
    void begin(mock_answer_lease answer, const mock_stamp& stamp, base::steady_time now);

    /// The next step; appends its bytes to `out`.
    [[nodiscard]] mock_step next(base::steady_time now, std::string& out);

    /// Gives the answer back; `next` must not be called before the next `begin`.
    void end() noexcept { answer_.reset(); }

    [[nodiscard]] bool running() const noexcept { return static_cast<bool>(answer_); }
    /// Whether bytes of the answer were made: *streaming* in the ledger, before it is *waiting*.
    [[nodiscard]] bool streaming() const noexcept { return head_sent_; }
    /// Events of the stream made so far, without the end mark.
    [[nodiscard]] std::uint32_t events() const noexcept { return event_; }
    /// Tokens made so far.
    [[nodiscard]] std::uint32_t tokens() const noexcept { return tokens_; }

private:
    [[nodiscard]] base::steady_time due(std::uint32_t event) noexcept;
    [[nodiscard]] mock_step next_plain(std::string& out);
    [[nodiscard]] mock_step next_events(base::steady_time now, std::string& out);
    [[nodiscard]] mock_step send_head(std::string& out);
    [[nodiscard]] std::optional<mock_step::action> severed() const noexcept;
    [[nodiscard]] mock_step fault(std::string& out);
    [[nodiscard]] mock_step::action ending() const noexcept;
    void append_event(std::uint32_t event, base::steady_time now);
    void append_framed(std::string& out);
    void append_end(std::string& out);

    mock_answer_lease answer_;
    mock_stamp stamp_;
    mock_pace pace_;
    std::string payload_;  // events of one write before framing; kept for its capacity
    base::steady_time start_{};
    std::uint32_t event_ = 0;
    std::uint32_t tokens_ = 0;
    std::uint32_t paced_ = 0;    // tokens
    std::uint32_t total_ = 0;    // events, without the end mark
    std::uint32_t stop_at_ = 0;  // event before which a fault happens
    bool head_sent_ = false;
    bool due_ = false;
};

}  // namespace concurred::bench
