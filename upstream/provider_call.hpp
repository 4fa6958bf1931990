#pragma once

#include "gateway/base/buffer_pool.hpp"
#include "gateway/base/config.hpp"
#include "gateway/base/timing_wheel.hpp"
#include "gateway/http/exchange.hpp"
#include "gateway/net/connection_pool.hpp"
#include "gateway/net/response_parser.hpp"

#include <span>
#include <string_view>

namespace concurred::upstream {

/// How long a call may take, seen from several sides. Zero: no bound.
struct time_budgets {
    std::chrono::milliseconds first_token{0};               ///< from the request to the first content
    std::chrono::milliseconds idle{0};                      ///< between two reads of the answer
    std::chrono::milliseconds total{0};                     ///< from the request to the end of the answer
    std::chrono::milliseconds silence{0};                   ///< without output to the client, then `pull` says so
    base::steady_time begin_by = base::steady_time::max();  ///< the answer must have begun
    base::steady_time quiet_since{};  ///< when the client got its last output; the epoch: it counts from the request
};

/// One request to a provider and its answer, over one connection: sends, reads, decodes the framing, keeps the time.
/// The answer's body collects in `payload` until it is taken. Destroying it before the answer is read closes the
/// connection, which is how a provider learns that nobody listens any more. Belongs to one shard.
class provider_call {
public:
    enum class pulled {
        data,     ///< the head or some payload has come
        end,      ///< the answer is complete; the connection went back to its pool
        silence,  ///< nothing yet, and it is time to tell the client that we are alive
    };

    /// @param provider name for messages; all references outlive the call
    provider_call(net::lease lease, std::string_view provider, const time_budgets& budgets, base::buffer_pool& buffers,
                  base::timing_wheel& wheel, http::exchange& x);
    provider_call(const provider_call&) = delete;
    provider_call& operator=(const provider_call&) = delete;

    /// Completes when the request is written. Errors: retry_class::reused_only when a reused connection was dead. After
    /// errc::upstream_error there may be an answer all the same: the provider sent it before it had the whole request.
    [[nodiscard]] base::task<base::result<void>> send(std::span<const std::string_view> pieces);
    /// Completes when there is something new. Errors: the provider failed, a budget ran out, the client is gone.
    [[nodiscard]] base::task<base::result<pulled>> pull();

    [[nodiscard]] const net::response_parser& head() const noexcept { return parser_; }
    [[nodiscard]] bool head_complete() const noexcept { return head_complete_; }

    /// Payload that was not taken yet. Valid, and writable, until the next `pull`.
    [[nodiscard]] std::span<char> payload() noexcept { return {buffer_.data() + taken_, payload_end_ - taken_}; }
    [[nodiscard]] std::span<const char> payload() const noexcept {
        return {buffer_.data() + taken_, payload_end_ - taken_};
    }
    /// Forgets the first `octets` of the payload; their bytes stay where they are until the next `pull`.
    void take(std::size_t octets) noexcept { taken_ += octets; }

    /// The first content has come: the budget between reads counts from here on.
    void first_token_seen() noexcept { waiting_first_token_ = false; }
    /// What the request's own time was for is there.
    void answer_begun() noexcept { budgets_.begin_by = base::steady_time::max(); }
    /// Nobody wants the answer any more: ends the wait within a turn, with an error.
    void give_up() noexcept {
        given_up_ = true;
        wake();
    }
    /// From now on `pull` says `silence` after this time.
    void next_silence(std::chrono::milliseconds after, base::steady_time since) noexcept {
        budgets_.silence = after;
        last_output_ = since;
    }
    /// Something went to the client: the time of silence starts anew.
    void output_sent() noexcept;
    /// The answer is over but for its framing: do not wait longer than a moment for that.
    void expect_end() noexcept;

    [[nodiscard]] bool reused() const noexcept { return reused_; }

private:
    void wake() noexcept { lease_.stream().cancel(); }
    [[nodiscard]] std::span<char> space();
    [[nodiscard]] base::result<bool> parse();
    [[nodiscard]] base::steady_time next_deadline() const noexcept;
    [[nodiscard]] base::result<pulled> overdue(base::steady_time now);
    [[nodiscard]] base::result<pulled> ended_by_peer(const net::io_result& r);
    [[nodiscard]] base::error begun_too_late() const;
    [[nodiscard]] base::error stopped() const;
    [[nodiscard]] base::error lost(boost::system::error_code ec) const;
    void finished();

    net::lease lease_;
    std::string_view provider_;
    time_budgets budgets_;
    http::exchange& exchange_;
    base::buffer_pool& buffers_;
    base::timing_wheel::timer timer_;
    http::abort_signal::scope on_abort_;
    net::response_parser parser_;

    // [0, taken_) went out, [taken_, payload_end_) is payload, [raw_begin_, raw_end_) is not parsed yet.
    base::buffer_pool::buffer buffer_;
    std::size_t taken_ = 0;
    std::size_t payload_end_ = 0;
    std::size_t raw_begin_ = 0;
    std::size_t raw_end_ = 0;

    base::steady_time started_;
    base::steady_time last_read_;
    base::steady_time last_output_;
    base::steady_time end_by_ = base::steady_time::max();
    bool reused_ = false;
    bool head_complete_ = false;
    bool any_byte_ = false;
    bool request_sent_ = false;
    bool waiting_first_token_ = true;
    bool given_up_ = false;
};

}  // namespace concurred::upstream
