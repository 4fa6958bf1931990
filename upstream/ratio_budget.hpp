#pragma once

#include "gateway/base/clock.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace concurred::upstream {

/// Bounds what is done in addition (repeats, hedges) to a share of what is done anyway, so that trouble does not
/// multiply itself. A small reserve that fills up with time lets a quiet service repeat as well. Pure.
class ratio_budget {
public:
    /// @param percent  of what is earned that may be spent
    /// @param reserve  that may be spent at once, refilled at `per_second`
    ratio_budget(unsigned percent, unsigned reserve, unsigned per_second) noexcept
        : share_(std::int64_t{percent} * whole / 100),
          reserve_(std::int64_t{reserve} * whole),
          per_ms_(std::int64_t{per_second} * whole / 1000),
          balance_(reserve_) {}

    /// Something was done anyway.
    void earn() noexcept { balance_ = std::min(balance_ + share_, most()); }

    /// Takes one, if there is one.
    [[nodiscard]] bool spend(base::steady_time now) noexcept {
        refill(now);
        if (balance_ < whole) {
            return false;
        }
        balance_ -= whole;
        return true;
    }

private:
    static constexpr std::int64_t whole = 100'000;

    // What was earned may be saved up, but not for ever.
    [[nodiscard]] std::int64_t most() const noexcept { return reserve_ + 100 * share_; }

    void refill(base::steady_time now) noexcept {
        if (balance_ < reserve_ && last_ != base::steady_time()) {
            const auto passed = std::chrono::duration_cast<std::chrono::milliseconds>(now - last_).count();
            balance_ = std::min(reserve_, balance_ + std::min<std::int64_t>(passed, 60'000) * per_ms_);
        }
        last_ = now;
    }

    std::int64_t share_;
    std::int64_t reserve_;
    std::int64_t per_ms_;
    std::int64_t balance_;
    base::steady_time last_{};
};

}  // namespace concurred::upstream
