#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace concurred::bench {

/// Counts of values from 0 to 2^40 - 1 with three significant digits, as Gil Tene's HdrHistogram keeps them: buckets
/// that double in width, 1024 steps each. Recording is a few instructions; histograms of several threads are merged
/// without loss. Memory grows to the largest value seen: 8 KiB for each doubling.
class hdr_histogram {
public:
    static constexpr std::int64_t highest = (std::int64_t{1} << 40) - 1;  ///< larger values count as this

    /// Values below 0 count as 0.
    void record(std::int64_t value, std::uint64_t times = 1);
    void merge(const hdr_histogram& other);

    [[nodiscard]] std::uint64_t count() const noexcept { return count_; }
    [[nodiscard]] std::int64_t min() const noexcept { return count_ == 0 ? 0 : min_; }
    [[nodiscard]] std::int64_t max() const noexcept { return count_ == 0 ? 0 : max_; }
    [[nodiscard]] double mean() const noexcept;

    /// The least value that at least this share of all values does not exceed, to three digits; 0 without values.
    /// \param percent 0 to 100
    [[nodiscard]] std::int64_t percentile(double percent) const noexcept;

    /// How many values are at most `value`, to three digits.
    [[nodiscard]] std::uint64_t count_up_to(std::int64_t value) const noexcept;

    /// In HdrHistogram's own form, version 2, not compressed, as Base64: other tools read it.
    [[nodiscard]] std::string encoded() const;

private:
    static constexpr int half_bits = 10;  // three digits need 1000 steps, thus 1024, in the upper half of a bucket
    static constexpr std::int64_t half = std::int64_t{1} << half_bits;

    [[nodiscard]] static int shift_of(std::int64_t value) noexcept {
        return static_cast<int>(std::bit_width(static_cast<std::uint64_t>(value) | (2 * half - 1))) - half_bits - 1;
    }
    [[nodiscard]] static std::size_t place_of(std::int64_t value) noexcept {
        const int shift = shift_of(value);
        return static_cast<std::size_t>((std::int64_t{shift} << half_bits) + (value >> shift));
    }
    [[nodiscard]] static std::int64_t last_of(std::size_t place) noexcept;

    std::vector<std::uint64_t> counts_;
    std::uint64_t count_ = 0;
    double sum_ = 0;
    std::int64_t min_ = 0;
    std::int64_t max_ = 0;
};

}  // namespace concurred::bench
