#pragma once

#include "gateway/base/clock.hpp"

#include <array>
#include <chrono>
#include <cstdint>

namespace concurred::auth {

/// When to leave a service alone that fails: at half of at least 20 calls in 10 s. Then one call at a time is let
/// through to see whether it is back, first after a second, later less often. Pure; belongs to one shard.
class service_breaker {
public:
    enum class verdict : std::uint8_t { call, refuse };

    /// Whether to call now. Whoever is told `call` reports what came of it.
    [[nodiscard]] verdict ask(base::steady_time now) noexcept;
    void succeeded(base::steady_time now) noexcept;
    /// @param pause the service asked to be left alone for so long; 0: it did not
    void failed(base::steady_time now, std::chrono::milliseconds pause = {}) noexcept;

    [[nodiscard]] bool open() const noexcept { return open_; }
    /// Until the next call is let through; at least 0.
    [[nodiscard]] std::chrono::milliseconds wait(base::steady_time now) const noexcept;

private:
    struct second {
        std::int64_t number = -1;
        std::uint32_t calls = 0;
        std::uint32_t failures = 0;
    };

    second& count(base::steady_time now) noexcept;
    void trip(base::steady_time now, std::chrono::milliseconds pause) noexcept;

    std::array<second, 10> seconds_;
    std::chrono::milliseconds next_pause_{1'000};
    base::steady_time probe_at_;
    bool open_ = false;
    bool probing_ = false;  // a call was let through while open
};

}  // namespace concurred::auth
