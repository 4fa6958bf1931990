#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace concurred::bench {

/// Numbers that look random and are the same for the same seed (SplitMix64).
class repeatable_random {
public:
    explicit repeatable_random(std::uint64_t seed) noexcept : state_(seed) {}
    [[nodiscard]] std::uint64_t next() noexcept;
    /// From 0 up to, without, 1.
    [[nodiscard]] double unit() noexcept;
    /// From 0 up to, without, `end`.
    [[nodiscard]] std::size_t below(std::size_t end) noexcept;

private:
    std::uint64_t state_;
};

/// A part of a run: a level that stays or moves evenly. The level is requests per second (open loop) or requests under
/// way at a time (closed loop).
struct load_stage {
    double from = 0;
    double to = 0;
    std::chrono::nanoseconds length{0};
};

/// The level at a time; that of the end afterwards, 0 without stages.
[[nodiscard]] double level_at(const std::vector<load_stage>& stages, std::chrono::nanoseconds at) noexcept;

/// When requests are planned in an open loop, whatever became of those before. Pure: gives times, waits for nothing.
class arrivals {
public:
    /// \param poisson gaps are exponential (independent callers); else even
    /// \param part, parts this is one of so many generators that share the rate evenly
    arrivals(std::vector<load_stage> stages, bool poisson, std::uint64_t seed, unsigned part = 0, unsigned parts = 1);

    /// Time of the next request, from the beginning of the run; nothing once the stages are over.
    [[nodiscard]] std::optional<std::chrono::nanoseconds> next() noexcept;

private:
    std::vector<load_stage> stages_;
    repeatable_random random_;
    std::size_t stage_ = 0;
    double passed_ = 0;                  // requests of the stages before
    double due_ = 0;                     // requests before the next one, from the beginning
    std::chrono::nanoseconds begin_{0};  // of the stage
    double share_;
    bool poisson_;
};

}  // namespace concurred::bench
