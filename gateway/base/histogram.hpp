#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace concurred::base {

/// Counts durations in fixed buckets. Not atomic: it belongs to one shard.
/// \tparam Bounds  array of ascending upper bounds, each inclusive
template <const auto& Bounds>
class histogram {
public:
    static constexpr std::size_t bucket_count = Bounds.size();

    /// Counts `value`; a negative one as zero.
    void observe(std::chrono::nanoseconds value) noexcept {
        // The number of bounds below the value is the bucket: no branch that could be predicted wrongly.
        std::size_t bucket = 0;
        for (const std::chrono::nanoseconds bound : Bounds) {
            bucket += value > bound ? 1 : 0;
        }
        ++counts_[bucket];
        sum_ += std::max(value, std::chrono::nanoseconds(0));
    }

    void merge(const histogram& other) noexcept {
        for (std::size_t i = 0; i < counts_.size(); ++i) {
            counts_[i] += other.counts_[i];
        }
        sum_ += other.sum_;
    }

    [[nodiscard]] static constexpr std::chrono::nanoseconds bound(std::size_t bucket) noexcept {
        return Bounds[bucket];
    }
    /// Values up to and including the bucket's bound; `bucket_count` for all.
    [[nodiscard]] std::uint64_t cumulative(std::size_t bucket) const noexcept {
        std::uint64_t count = 0;
        for (std::size_t i = 0; i <= bucket; ++i) {
            count += counts_[i];
        }
        return count;
    }
    [[nodiscard]] std::uint64_t count() const noexcept { return cumulative(bucket_count); }
    [[nodiscard]] std::chrono::nanoseconds sum() const noexcept { return sum_; }

private:
    std::array<std::uint64_t, bucket_count + 1> counts_{};  ///< the last one: above all bounds
    std::chrono::nanoseconds sum_{0};
};

namespace bucket_bounds {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

/// Whole requests: from a refusal to a long stream.
inline constexpr std::array<nanoseconds, 18> request_duration{
    milliseconds(1),   microseconds(2500), milliseconds(5),   milliseconds(10), milliseconds(25),   milliseconds(50),
    milliseconds(100), milliseconds(250),  milliseconds(500), seconds(1),       milliseconds(2500), seconds(5),
    seconds(10),       seconds(30),        seconds(60),       seconds(120),     seconds(300),       seconds(600)};

/// Time to the first token.
inline constexpr std::array<nanoseconds, 15> first_token{
    milliseconds(1),   milliseconds(5),   milliseconds(10),  milliseconds(25), milliseconds(50),
    milliseconds(100), milliseconds(250), milliseconds(500), seconds(1),       milliseconds(2500),
    seconds(5),        seconds(10),       seconds(20),       seconds(30),      seconds(60)};

/// What the gateway itself adds.
inline constexpr std::array<nanoseconds, 12> overhead{
    microseconds(25),   microseconds(50), microseconds(100), microseconds(250), microseconds(500), milliseconds(1),
    microseconds(2500), milliseconds(5),  milliseconds(10),  milliseconds(25),  milliseconds(50),  milliseconds(100)};

/// How old the knowledge about a key is that a request was let in by; see auth/key_cache.hpp for the bounds.
inline constexpr std::array<nanoseconds, 9> key_age{milliseconds(10), milliseconds(100), seconds(1),
                                                    seconds(5),       seconds(10),       seconds(45),
                                                    seconds(60),      seconds(75),       seconds(600)};

}  // namespace bucket_bounds

}  // namespace concurred::base
