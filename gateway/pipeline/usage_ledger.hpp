#pragma once

#include "gateway/http/exchange.hpp"
#include "storage/usage_sink.hpp"
#include "upstream/relay.hpp"

namespace concurred::pipeline {

/// Sees to it that every admitted request ends in exactly one usage record. Belongs to one shard.
class usage_ledger final : public upstream::relay_observer {
public:
    explicit usage_ledger(storage::usage_sink& sink) : sink_(sink) {}

    /// Before anything is spent. Errors: service_unavailable when records cannot be kept at the moment.
    [[nodiscard]] base::result<void> admit(http::exchange& x);
    /// The request ended in an error before an answer began.
    void failed(http::exchange& x, const base::error& e) noexcept;
    /// The answer ended, one way or the other.
    void relay_ended(http::exchange& x, const upstream::relay_report& report) noexcept override;
    /// The request that lost leaves a line of its own, of the endpoint "hedge": what it cost is an estimate of its
    /// input.
    void hedge_lost(http::exchange& x) noexcept override;
    /// The exchange is over: settles what nothing else has settled.
    void closed(http::exchange& x) noexcept;

private:
    void settle(http::exchange& x) noexcept;

    storage::usage_sink& sink_;
};

}  // namespace concurred::pipeline
