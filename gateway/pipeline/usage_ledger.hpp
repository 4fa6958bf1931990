#pragma once

#include "auth/shared_spend.hpp"
#include "gateway/http/exchange.hpp"
#include "storage/usage_sink.hpp"
#include "upstream/relay.hpp"

#include <cstdint>
#include <string_view>

namespace concurred::pipeline {

/// Sees to it that every admitted request ends in exactly one usage record. Belongs to one shard.
class usage_ledger final : public upstream::relay_observer {
public:
    /// @param shared null: limits are counted here alone
    usage_ledger(storage::usage_sink& sink, auth::shared_spend* shared) : sink_(sink), shared_(shared) {}

    /// Begins the record of a request, before anything is spent for it.
    void admit(http::exchange& x) noexcept;
    /// Right before a provider is asked, and again before another one is: from here on the request is booked even if
    /// the process dies, and holds of its key's limits what it may use. `x.usage` says who serves it, `x.price` for how
    /// much, and `x.usage.byok` on whose key.
    /// @param body of the client's request, checked; `longest_answer` of the model in tokens, 0: not known
    /// Errors: rate_limit_exceeded by a limit of the key; service_unavailable when records cannot be kept at the
    /// moment: nothing is spent on the platform's keys that is not booked. On a caller's own key it goes on, and is
    /// counted as lost.
    [[nodiscard]] base::result<void> about_to_ask(http::exchange& x, std::string_view body,
                                                  std::uint32_t longest_answer) override;
    /// Where limits are shared the holding is done here, together with what is owed of the limits of requests.
    [[nodiscard]] bool reserves_first(const http::exchange& x) const noexcept override {
        return shared_ != nullptr && x.spend != nullptr;
    }
    [[nodiscard]] base::task<base::result<void>> reserve(http::exchange& x, std::string_view body,
                                                         std::uint32_t longest_answer) override;
    /// The request ended in an error before an answer began.
    void failed(http::exchange& x, const base::error& e) noexcept;
    /// The answer ended, one way or the other.
    void relay_ended(http::exchange& x, const upstream::relay_report& report) noexcept override;
    /// The request that lost leaves a line of its own, of the endpoint "hedge": what it cost is an estimate of its
    /// input.
    void hedge_lost(http::exchange& x) noexcept override;
    /// The exchange is over: settles what nothing else has settled.
    void closed(http::exchange& x) noexcept;

    /// Requests that went on without a record.
    [[nodiscard]] std::uint64_t lost() const noexcept { return lost_; }

private:
    [[nodiscard]] base::result<void> held(http::exchange& x, const auth::spend_request& wanted,
                                          const auth::spend_decision& decision) const;
    void settle(http::exchange& x) noexcept;

    storage::usage_sink& sink_;
    auth::shared_spend* shared_;
    std::uint64_t lost_ = 0;
};

}  // namespace concurred::pipeline
