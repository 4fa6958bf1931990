#pragma once

#include "gateway/base/buffer_pool.hpp"
#include "gateway/base/config.hpp"
#include "gateway/base/logger.hpp"
#include "gateway/base/metrics.hpp"
#include "gateway/base/timing_wheel.hpp"
#include "upstream/health_board.hpp"
#include "upstream/load_balance.hpp"
#include "upstream/model_health.hpp"
#include "upstream/model_registry.hpp"
#include "upstream/owner_keys.hpp"
#include "upstream/provider.hpp"
#include "upstream/ratio_budget.hpp"
#include "upstream/relay.hpp"

#include <cstdint>
#include <vector>

namespace concurred::upstream {

/// What one shard needs and has learnt to find a provider that works. One for all requests of the shard.
struct routing_state {
    struct surroundings {
        base::executor executor;
        const base::routing_config& settings;
        const model_registry& models;
        provider_table& providers;
        const owner_keys& own_keys;
        base::buffer_pool& buffers;
        base::timing_wheel& wheel;
        base::metrics& metrics;
        base::logger& log;
        std::uint64_t seed = 1;  ///< for the dice; shards should differ
    };

    explicit routing_state(const surroundings& s)
        : around(s),
          health(breaker_policy_of(s.settings)),
          hedges(s.settings.hedge_budget, 1, 0),
          random_(s.seed * 0x9E3779B97F4A7C15 | 1) {}

    /// Sets the gauges of breakers and keys. Breakers that never opened are left out.
    void show(base::metrics& to, base::steady_time now);

    /// What this shard sees, for the health board: every provider that is on, and the models whose breakers have
    /// opened.
    [[nodiscard]] std::vector<health_row> view(base::steady_time now) const;

    /// A number in [0, 1), for waits and choices; not for secrets (xorshift64*, Vigna 2016).
    [[nodiscard]] double dice() noexcept {
        random_ ^= random_ >> 12;
        random_ ^= random_ << 25;
        random_ ^= random_ >> 27;
        return static_cast<double>((random_ * 0x2545F4914F6CDD1D) >> 11) * 0x1.0p-53;
    }

    surroundings around;
    model_health_table health;
    balance_turns turns;
    ratio_budget hedges;

private:
    std::uint64_t random_;
};

}  // namespace concurred::upstream
