#pragma once

#include "upstream/circuit_breaker.hpp"

#include <chrono>
#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

namespace concurred::upstream {

/// What a shard says of a provider, or of a model of it whose breaker has opened before.
struct health_row {
    std::string provider;
    std::string model;  ///< empty: the provider itself
    circuit_breaker::state state = circuit_breaker::state::closed;
    std::chrono::milliseconds reopens_in{0};  ///< until the next probe
    std::uint64_t openings = 0;               ///< how often its breaker has opened
    std::uint64_t keys = 0;                   ///< of a provider
    std::uint64_t resting = 0;                ///< of these
    unsigned shards = 1;                      ///< that see it in this state
};

/// Where shards hang out what they see, once in a while, and who asks for the health of providers reads it. Used by all
/// shards; a lock, but none that a request for a model ever meets.
class health_board {
public:
    explicit health_board(unsigned shards) : views_(shards) {}

    void publish(unsigned shard, std::vector<health_row> view);

    /// All shards' views as one: of each provider and model the worst state that a shard sees, and how many see it;
    /// keys as the shard that has most of them at rest sees them. Sorted by provider, then model.
    [[nodiscard]] std::vector<health_row> merged() const;

private:
    mutable std::mutex mutex_;
    std::vector<std::vector<health_row>> views_;
};

}  // namespace concurred::upstream
