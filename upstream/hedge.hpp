#pragma once

#include "gateway/base/event.hpp"
#include "upstream/attempt.hpp"

#include <memory>
#include <optional>

namespace concurred::upstream {

/// A second request to a target whose answer to the first is later than usual: the first that answers wins, the other
/// is given up. It has an exchange of its own for its times and for the signal to stop, which stands in for the
/// client's.
class hedge {
public:
    /// @param x  the client's exchange
    /// All outlive the hedge.
    hedge(routing_state& state, http::exchange& x, const routed_target& target, relay_observer& observer);
    hedge(const hedge&) = delete;
    hedge& operator=(const hedge&) = delete;

    /// The one that has answered, or why the first did not. A silence: the client has to hear something, and the second
    /// was given up for that.
    struct outcome {
        base::result<relay::started> begun;
        bool second_won = false;
        std::optional<base::error> first_failed{};  ///< by itself, and not for being given up
    };

    /// Asks a second time while the first, whose answer is late, is waited for. Completes when one has answered, when
    /// both have failed, or when the first says that it is silent; the other is at its end by then.
    [[nodiscard]] base::task<outcome> race(attempt& first, const prepared_request& request,
                                           const attempt_limits& limits);

    /// The attempt that won, if the second did.
    [[nodiscard]] attempt& second() noexcept { return second_; }
    [[nodiscard]] const attempt& second() const noexcept { return second_; }
    /// Lets the second take the first one's place: its times become the client's, and the client's leaving stops it.
    void take_over();

private:
    [[nodiscard]] base::task<> wait_for_first(attempt& first);
    [[nodiscard]] base::task<> ask_second(const prepared_request& request, attempt_limits limits);
    void stop_both() noexcept;

    routing_state& state_;
    http::exchange& exchange_;
    http::exchange stand_in_;
    attempt second_;
    base::event bell_;
    attempt* first_ = nullptr;
    std::optional<base::result<relay::started>> first_result_;
    std::optional<base::result<relay::started>> second_result_;
    std::optional<http::abort_signal::scope> follows_;
};

}  // namespace concurred::upstream
