#pragma once

#include "gateway/base/clock.hpp"

#include <chrono>
#include <cstdint>
#include <string_view>

namespace concurred::upstream {

struct breaker_policy {
    unsigned failures = 5;                      ///< in a row, until it opens; 0: it never opens
    std::chrono::milliseconds grace{1'000};     ///< while a success is younger, a row of failures is bad luck
    std::chrono::milliseconds cooldown{5'000};  ///< first time it stays open; doubled while probes fail
    std::chrono::milliseconds max_cooldown{60'000};
    std::chrono::milliseconds window{10'000};  ///< in which the share of failures is looked at
};

/// Keeps requests away from what does not work, and finds out when it works again. Closed: all may pass. Open: none,
/// for a cooldown. Half open: one at a time may, as a probe, and its outcome decides.
/// It opens after `failures` in a row with no success within the last `grace`, or when four of five in a window failed
/// and these were at least twice as many. So under load a provider that fails now and then stays in use: closing it off
/// would make all requests fail instead of some.
/// What is a failure is the caller's judgement: only what the other side is to blame for.
/// Pure; each method takes `now`. Outcomes of requests that began before it last opened or closed change nothing.
class circuit_breaker {
public:
    enum class state : std::uint8_t { closed, half_open, open };

    /// The right to try, to be given back with the outcome: exactly one of the three below, or the probe is lost until
    /// a cooldown has passed.
    struct permit {
        bool granted = false;
        bool probe = false;
        std::uint32_t generation = 0;
    };

    explicit circuit_breaker(const breaker_policy& policy) noexcept : policy_(policy), cooldown_(policy.cooldown) {}

    [[nodiscard]] permit ask(base::steady_time now) noexcept;
    /// Whether `ask` would grant; reserves nothing.
    [[nodiscard]] bool would_grant(base::steady_time now) const noexcept;

    void succeeded(permit p, base::steady_time now) noexcept;
    /// @param wait  what the other side asked for; it stays open at least so long, at most `max_cooldown`
    void failed(permit p, base::steady_time now, std::chrono::milliseconds wait = {}) noexcept;
    /// The attempt says nothing: the client left, or the request itself was at fault.
    void said_nothing(permit p) noexcept;

    [[nodiscard]] state state_at(base::steady_time now) const noexcept;
    /// When open: until the next probe may pass. Else 0.
    [[nodiscard]] std::chrono::milliseconds reopens_in(base::steady_time now) const noexcept;
    /// How often it has opened.
    [[nodiscard]] std::uint32_t openings() const noexcept { return openings_; }
    [[nodiscard]] unsigned failures_in_a_row() const noexcept { return in_a_row_; }

private:
    struct tally {
        std::uint32_t total = 0;
        std::uint32_t failed = 0;
    };

    [[nodiscard]] bool current(permit p) const noexcept { return p.granted && p.generation == generation_; }
    void count(bool failure, base::steady_time now) noexcept;
    [[nodiscard]] bool too_many() const noexcept;
    void open(base::steady_time now, std::chrono::milliseconds wait) noexcept;
    void close() noexcept;

    breaker_policy policy_;
    std::chrono::milliseconds cooldown_;
    base::steady_time open_until_{};     // while tripped
    base::steady_time probe_expires_{};  // while a probe is under way
    base::steady_time window_began_{};
    base::steady_time last_success_{};
    tally now_;
    tally before_;
    std::uint32_t generation_ = 0;
    std::uint32_t openings_ = 0;
    unsigned in_a_row_ = 0;
    bool tripped_ = false;
    bool probing_ = false;
};

/// "closed", "half_open" or "open".
[[nodiscard]] std::string_view text_of(circuit_breaker::state s) noexcept;

}  // namespace concurred::upstream
