#include "upstream/latency_record.hpp"

#include <algorithm>

namespace concurred::upstream {

namespace {

using std::chrono::milliseconds;

/// Upper bound of bucket i: 10 ms times the square root of two to the i-th.
constexpr std::int64_t bound_of(std::size_t i) noexcept {
    const std::int64_t base = i % 2 == 0 ? 10'000 : 14'142;  // in microseconds
    return base * (std::int64_t{1} << (i / 2)) / 1000;
}

constexpr std::int64_t longest_us = 4'000'000'000;  // what 32 bits hold, about 66 minutes

}  // namespace

void latency_record::add(milliseconds time, base::steady_time now) noexcept {
    const std::int64_t ms = std::max<std::int64_t>(time.count(), 0);
    std::size_t i = 0;
    while (i + 1 < buckets && ms > bound_of(i)) {
        ++i;
    }
    ++counts_[i];
    if (++total_ >= full) {
        total_ = 0;
        for (std::uint16_t& count : counts_) {
            count = static_cast<std::uint16_t>(count / 2);
            total_ += count;
        }
    }
    const std::int64_t us = std::min(ms * 1000, longest_us);
    const bool stale = last_ == base::steady_time() || now - last_ > fresh_for;
    const std::int64_t before = mean_us_;
    mean_us_ = static_cast<std::uint32_t>(stale ? us : before + (us - before) / 4);
    last_ = now;
}

std::optional<milliseconds> latency_record::mean(base::steady_time now) const noexcept {
    if (last_ == base::steady_time() || now - last_ > fresh_for) {
        return std::nullopt;
    }
    return milliseconds(mean_us_ / 1000);
}

std::optional<milliseconds> latency_record::p95() const noexcept {
    if (total_ < enough) {
        return std::nullopt;
    }
    const std::uint32_t above = total_ / 20;  // values that may be beyond it
    std::uint32_t seen = 0;
    for (std::size_t i = buckets; i-- != 0;) {
        seen += counts_[i];
        if (seen > above) {
            return milliseconds(bound_of(i));
        }
    }
    return std::nullopt;
}

}  // namespace concurred::upstream
