#pragma once

#include "auth/revocation_bus.hpp"
#include "auth/shared_limiter.hpp"
#include "auth/shared_spend.hpp"
#include "gateway/app/redis_setup.hpp"
#include "gateway/app/shared_state.hpp"
#include "gateway/base/redis_metrics.hpp"

#include <optional>

namespace concurred::app {

/// What one shard shares with the other gateways, by Redis: limits, and changes of keys. Empty without Redis.
class shared_services {
public:
    /// All references outlive it. @param first whether this shard listens for the process
    shared_services(base::executor ex, shared_state& shared, unsigned number, base::logger& log);

    void start();
    /// Gives back what other gateways can use, and ends; completes soon, whatever Redis does.
    [[nodiscard]] base::task<> close();
    /// Tells the process whether Redis answers here. Call it now and then.
    void report_state() noexcept;

    [[nodiscard]] storage::redis_client* redis() noexcept { return redis_ ? &*redis_ : nullptr; }
    /// Null: this gateway counts alone.
    [[nodiscard]] auth::shared_limiter* limiter() noexcept { return limiter_ ? &*limiter_ : nullptr; }
    [[nodiscard]] auth::shared_spend* spend() noexcept { return spend_ ? &*spend_ : nullptr; }
    [[nodiscard]] auth::revocation_bus* bus() noexcept { return bus_ ? &*bus_ : nullptr; }

    [[nodiscard]] base::redis_metrics counts() const noexcept;

private:
    shared_state& shared_;
    redis_reporter reporter_;
    std::optional<storage::redis_client> redis_;
    std::optional<auth::shared_limiter> limiter_;
    std::optional<auth::shared_spend> spend_;
    std::optional<auth::revocation_bus> bus_;
    bool reported_up_ = false;
};

}  // namespace concurred::app
