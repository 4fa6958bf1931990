#pragma once

#include "upstream/fault.hpp"
#include "upstream/prepared_request.hpp"
#include "upstream/routing_state.hpp"
#include "upstream/target_list.hpp"

#include <cstddef>
#include <optional>

namespace concurred::upstream {

/// What bounds an attempt besides the provider's own budgets.
struct attempt_limits {
    base::steady_time begin_by = base::steady_time::max();  ///< the answer must have begun
    base::steady_time quiet_since{};                        ///< when the client got something last
    std::chrono::milliseconds silence{0};                   ///< without output for this long it says so; 0: never
    bool in_band = false;                                   ///< the client's answer has begun as a stream
};

/// One try to get an answer from one target, and what is learnt by it: it holds the right to try of the two breakers
/// and gives it back with what came out, or with nothing when it is dropped. A request that a reused connection
/// swallowed before any answer is sent once more, on a connection of its own, within the same attempt.
class attempt final : private relay_observer {
public:
    /// @param x         carries the signal to stop and takes the times
    /// @param told      the exchange that the observer is told of: `x`, or the one that `x` stands in for
    /// All outlive the attempt.
    attempt(routing_state& state, http::exchange& x, http::exchange& told, const routed_target& target,
            relay_observer& observer);
    ~attempt() override;
    attempt(const attempt&) = delete;
    attempt& operator=(const attempt&) = delete;

    /// Completes when the answer has begun, or after the silence.
    /// @param request  valid until then
    /// Errors: those of the pool, of the way to the provider, of its budgets, and the provider's own.
    [[nodiscard]] base::task<base::result<relay::started>> start(const prepared_request& request,
                                                                 const attempt_limits& limits);

    /// The answer; once `start` has got that far.
    [[nodiscard]] relay& answer() noexcept { return *call_; }
    [[nodiscard]] const relay& answer() const noexcept { return *call_; }
    [[nodiscard]] attempt_phase phase() const noexcept { return phase_; }
    /// How long it usually takes the model to begin; nothing when that is not known.
    [[nodiscard]] std::optional<std::chrono::milliseconds> usual(bool stream) const noexcept {
        return health_.latency[stream ? 1 : 0].p95();
    }
    [[nodiscard]] base::steady_time began() const noexcept { return began_; }

    /// The answer has begun. Model, provider and key work.
    void succeeded(bool stream) noexcept;
    /// It failed before the client saw anything of it. Breakers and the key learn their part.
    void failed(const base::error& e, blame whose);

private:
    void relay_ended(http::exchange& x, const relay_report& report) noexcept override;
    [[nodiscard]] base::task<base::result<net::lease>> connect(bool fresh, base::steady_time deadline);

    routing_state& state_;
    http::exchange& exchange_;
    http::exchange& told_;
    const routed_target& target_;
    relay_observer& observer_;
    model_health& health_;
    circuit_breaker::permit way_;
    circuit_breaker::permit model_;
    std::size_t key_ = 0;
    bool key_rested_ = false;  // it was used all the same
    base::steady_time began_;
    attempt_phase phase_ = attempt_phase::connecting;
    std::optional<relay> call_;
};

}  // namespace concurred::upstream
