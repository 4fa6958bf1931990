#pragma once

#include "gateway/base/clock.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace concurred::upstream {

enum class balance_strategy : std::uint8_t { weighted, round_robin, least_latency, random };

inline constexpr std::array<std::string_view, 4> balance_strategy_names{"weighted", "round_robin", "least_latency",
                                                                        "random"};

[[nodiscard]] std::optional<balance_strategy> balance_strategy_of(std::string_view name) noexcept;

/// One of the models to choose from, as it stands at the moment.
struct balance_candidate {
    std::uint32_t weight = 1;  ///< for `weighted`; 0: only when nothing else works
    bool healthy = true;       ///< its breakers let requests through, and it has a key that is awake
    std::optional<std::chrono::milliseconds> latency{};  ///< mean time to the first content; unset: not known of late
};

/// Most models one request may balance over.
inline constexpr std::size_t max_balanced = 16;

/// Puts candidates in the order in which they are tried: who is chosen, then the others, as good ones first. The
/// unhealthy come last in any case. Pure.
/// - weighted: shares as the weights say, exact over any stretch of `turn`s, not by luck
/// - round_robin: `turn` by `turn`
/// - least_latency: the fastest; one that is not known goes first, so that it becomes known
/// - random: by `dice`
/// @param turn   how often this group was asked before
/// @param dice   in [0, 1)
/// @param order  gets the indices; as long as `candidates`, at most `max_balanced`
void balance(balance_strategy strategy, std::span<const balance_candidate> candidates, std::uint32_t turn, double dice,
             std::span<std::uint8_t> order) noexcept;

/// Counts the turns of groups of models. Groups are told apart by a hash and share a count when their hashes meet,
/// which harms nobody: the counts go on. Belongs to one shard.
class balance_turns {
public:
    [[nodiscard]] std::uint32_t next(std::size_t group_hash) noexcept { return turns_[group_hash % turns_.size()]++; }

private:
    std::array<std::uint32_t, 256> turns_{};
};

}  // namespace concurred::upstream
