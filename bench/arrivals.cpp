#include "bench/arrivals.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace concurred::bench {
namespace {

double seconds(std::chrono::nanoseconds time) noexcept {
    return std::chrono::duration<double>(time).count();
}

}  // namespace

std::uint64_t repeatable_random::next() noexcept {
    state_ += 0x9e3779b97f4a7c15;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
}

double repeatable_random::unit() noexcept {
    return static_cast<double>(next() >> 11) * 0x1p-53;
}

std::size_t repeatable_random::below(std::size_t end) noexcept {
    return static_cast<std::size_t>(unit() * static_cast<double>(end));
}

double level_at(const std::vector<load_stage>& stages, std::chrono::nanoseconds at) noexcept {
    for (const load_stage& stage : stages) {
        if (at < stage.length) {
            return stage.from + (stage.to - stage.from) * (seconds(at) / seconds(stage.length));
        }
        at -= stage.length;
    }
    return stages.empty() ? 0 : stages.back().to;
}

arrivals::arrivals(std::vector<load_stage> stages, bool poisson, std::uint64_t seed, unsigned part, unsigned parts)
    : stages_(std::move(stages)), random_(seed + part), share_(1.0 / parts), poisson_(poisson) {
    due_ = poisson_ ? -std::log1p(-random_.unit()) : static_cast<double>(part) * share_;
}

// A request is planned when the integral of the rate has reached its number: exact also while the rate moves.
std::optional<std::chrono::nanoseconds> arrivals::next() noexcept {
    for (; stage_ < stages_.size(); ++stage_) {
        const load_stage& stage = stages_[stage_];
        const double length = seconds(stage.length);
        const double from = stage.from * share_;
        const double to = stage.to * share_;
        const double all = (from + to) / 2 * length;
        const double wanted = due_ - passed_;
        if (wanted < all) {
            const double slope = (to - from) / length;
            const double root = std::sqrt(std::max(0.0, from * from + 2 * slope * wanted));
            const double at = wanted == 0 ? 0 : 2 * wanted / (from + root);
            due_ += poisson_ ? -std::log1p(-random_.unit()) : 1;
            return begin_ + std::chrono::nanoseconds(std::llround(at * 1e9));
        }
        passed_ += all;
        begin_ += stage.length;
    }
    return std::nullopt;
}

}  // namespace concurred::bench
