#pragma once

#include "gateway/base/clock.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace concurred::upstream {

/// How long a model takes to its first content: a moving mean, to compare models by, and the 95th percentile, to tell a
/// late answer by. Old values fade: the counts are halved each time they have grown to `full`. Pure, 80 octets.
class latency_record {
public:
    static constexpr std::uint32_t full = 512;
    /// With fewer values there is no percentile.
    static constexpr std::uint32_t enough = 20;
    /// A mean that is older than this says nothing of now.
    static constexpr std::chrono::seconds fresh_for{60};

    void add(std::chrono::milliseconds time, base::steady_time now) noexcept;

    /// Nothing when nothing was measured of late.
    [[nodiscard]] std::optional<std::chrono::milliseconds> mean(base::steady_time now) const noexcept;
    /// Upper bound of the bucket in which it lies: at most 41 % too high. Nothing with too few values.
    [[nodiscard]] std::optional<std::chrono::milliseconds> p95() const noexcept;

private:
    static constexpr std::size_t buckets = 32;  // the first up to 10 ms, each 2^0.5 wider, the last above 5 minutes

    std::array<std::uint16_t, buckets> counts_{};
    std::uint32_t total_ = 0;
    std::uint32_t mean_us_ = 0;
    base::steady_time last_{};
};

}  // namespace concurred::upstream
