#pragma once

#include "gateway/base/clock.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace concurred::upstream {

/// Which of a provider's keys the next request goes out with: by weight, spread evenly, and none that rests as long as
/// another is awake. A single key that rests is used all the same: refusing is the provider's part. Knows indices, not
/// keys. Pure.
class key_ring {
public:
    /// @param weights  one for each key, at least 1
    explicit key_ring(const std::vector<unsigned>& weights);

    [[nodiscard]] std::size_t size() const noexcept { return keys_.size(); }

    /// The key for the next request; when all rest, the one that wakes first. 0 for an empty ring.
    [[nodiscard]] std::size_t pick(base::steady_time now) noexcept;

    /// The key was refused: it rests until `until`, or longer if it does already.
    void rest(std::size_t key, base::steady_time until) noexcept;
    /// The key was accepted.
    void wake(std::size_t key) noexcept { keys_[key].rests_until = {}; }

    [[nodiscard]] bool resting(std::size_t key, base::steady_time now) const noexcept {
        return key < keys_.size() && keys_[key].rests_until > now;
    }
    [[nodiscard]] bool any_awake(base::steady_time now) const noexcept;
    [[nodiscard]] std::size_t count_resting(base::steady_time now) const noexcept;
    /// When the first of the resting keys wakes; `now` when one is awake.
    [[nodiscard]] base::steady_time wakes_at(base::steady_time now) const noexcept;

private:
    struct entry {
        std::int64_t weight = 1;
        std::int64_t credit = 0;
        base::steady_time rests_until{};
    };

    std::vector<entry> keys_;
};

}  // namespace concurred::upstream
