#include "upstream/key_ring.hpp"

#include <algorithm>

namespace concurred::upstream {

using base::steady_time;

key_ring::key_ring(const std::vector<unsigned>& weights) {
    keys_.reserve(weights.size());
    for (const unsigned weight : weights) {
        keys_.push_back({.weight = std::max(weight, 1U)});
    }
}

// Smooth weighted round robin: each turn every key that is awake gains its weight, and the one that is used pays what
// all gained. So a key of weight 3 beside one of weight 1 is used as a a b a, not a a a b.
std::size_t key_ring::pick(steady_time now) noexcept {
    if (keys_.size() < 2) {
        return 0;
    }
    std::int64_t gained = 0;
    entry* best = nullptr;
    for (entry& k : keys_) {
        if (k.rests_until > now) {
            continue;
        }
        k.credit += k.weight;
        gained += k.weight;
        if (best == nullptr || k.credit > best->credit) {
            best = &k;
        }
    }
    if (best == nullptr) {
        best = &*std::min_element(keys_.begin(), keys_.end(),
                                  [](const entry& a, const entry& b) { return a.rests_until < b.rests_until; });
    }
    best->credit -= gained;
    return static_cast<std::size_t>(best - keys_.data());
}

void key_ring::rest(std::size_t k, steady_time until) noexcept {
    keys_[k].rests_until = std::max(keys_[k].rests_until, until);
    keys_[k].credit = 0;
}

bool key_ring::any_awake(steady_time now) const noexcept {
    return std::any_of(keys_.begin(), keys_.end(), [now](const entry& k) { return k.rests_until <= now; });
}

std::size_t key_ring::count_resting(steady_time now) const noexcept {
    return static_cast<std::size_t>(
        std::count_if(keys_.begin(), keys_.end(), [now](const entry& k) { return k.rests_until > now; }));
}

steady_time key_ring::wakes_at(steady_time now) const noexcept {
    steady_time first = steady_time::max();
    for (const entry& k : keys_) {
        first = std::min(first, k.rests_until);
    }
    return keys_.empty() ? now : std::max(first, now);
}

}  // namespace concurred::upstream
