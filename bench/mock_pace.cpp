#include "bench/mock_pace.hpp"

#include "bench/mock_settings.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace concurred::bench {
namespace {

using std::chrono::microseconds;

// A schedule beyond ten years means never, and must not overflow.
constexpr microseconds never = std::chrono::hours(24 * 3650);
// Steps that are computed one by one; beyond them the mean stands for all.
constexpr std::uint64_t single_steps = 1 << 16;

microseconds times(microseconds gap, std::uint64_t count) noexcept {
    const auto limit = static_cast<std::uint64_t>(never.count());
    return count > 0 && static_cast<std::uint64_t>(gap.count()) > limit / count
               ? never
               : gap * static_cast<std::int64_t>(count);
}

/// SplitMix64: well mixed bits of a counter.
std::uint64_t mixed(std::uint64_t value) noexcept {
    value += 0x9e3779b97f4a7c15U;
    value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9U;
    value = (value ^ (value >> 27)) * 0x94d049bb133111ebU;
    return value ^ (value >> 31);
}

/// A number from a standard normal distribution (Box and Muller).
double normal(std::uint64_t bits) noexcept {
    constexpr double scale = 1.0 / 4'294'967'296.0;
    const double radius = std::sqrt(-2.0 * std::log((static_cast<double>(bits >> 32) + 0.5) * scale));
    return radius * std::cos(2.0 * std::numbers::pi * static_cast<double>(bits & 0xffffffffU) * scale);
}

}  // namespace

std::string read_mock_trace(std::string_view text, mock_trace& trace) {
    trace = {};
    microseconds before{0};
    bool first = true;
    for (std::size_t number = 1; !text.empty(); ++number) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        std::string_view line = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) {
            line.remove_suffix(1);
        }
        if (line.empty() || line.front() == '#') {
            continue;
        }
        const auto at = mock_duration(line);
        if (!at || *at < before) {
            return "line " + std::to_string(number) + " needs a time such as 12.5ms, not before that of the line above";
        }
        if (first) {
            trace.first = *at;
        } else {
            trace.gaps.push_back(*at - before);
        }
        first = false;
        before = *at;
    }
    return trace.gaps.empty() ? "at least two tokens are needed" : std::string{};
}

void mock_pace::begin(microseconds gap, std::uint32_t spread, const mock_trace* trace, std::uint64_t seed) noexcept {
    gap_ = gap;
    deviation_ = spread / 100.0;
    trace_ = trace;
    seed_ = mixed(seed);
    position_ = 0;
    offset_ = trace != nullptr ? trace->first : microseconds{0};
}

microseconds mock_pace::gap_before(std::uint64_t position) const noexcept {
    if (trace_ != nullptr) {
        return trace_->gaps[(position - 1) % trace_->gaps.size()];
    }
    const double factor = std::exp(deviation_ * normal(mixed(seed_ + position)));
    return microseconds(static_cast<std::int64_t>(static_cast<double>(gap_.count()) * std::min(factor, 1e4)));
}

microseconds mock_pace::offset(std::uint64_t position) noexcept {
    if (trace_ == nullptr && deviation_ == 0) {
        return times(gap_, position);
    }
    while (position_ < position && offset_ < never) {
        if (position - position_ > single_steps) {
            const std::uint64_t steps = position - position_ - single_steps;
            microseconds mean{0};
            if (trace_ != nullptr) {
                for (const auto one : trace_->gaps) {
                    mean += one;
                }
                mean /= static_cast<std::int64_t>(trace_->gaps.size());
            } else {
                mean = microseconds(static_cast<std::int64_t>(static_cast<double>(gap_.count()) *
                                                              std::exp(deviation_ * deviation_ / 2)));
            }
            offset_ = std::min(offset_ + times(mean, steps), never);
            position_ += steps;
        } else {
            offset_ += gap_before(++position_);
        }
    }
    return offset_;
}

}  // namespace concurred::bench
