#pragma once

#include "auth/shared_limiter.hpp"
#include "auth/spend.hpp"
#include "gateway/base/task_group.hpp"
#include "gateway/base/usage_record.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace concurred::auth {

/// A request whose unit of its limits of requests is not taken yet: it is taken in one step with what it may use.
struct owed_request {
    principal who;
    path_class path;
};

/// Keeps the limits of keys in tokens, requests under way and money together over all gateways: one step in Redis takes
/// them with the limit of requests, another ends it with the true figures. In both modes each request asks: what it may
/// use is not known before. Bounds, besides those of `limit_mode`: of tokens, those of requests, and what requests use
/// beyond what was held for them; of requests under way, the limit; of money, the budget. Each loss of what Redis
/// knows, and each time it goes away, can add at most as much again (money: less what the books and each gateway know).
/// One for each shard. Must outlive the run of its executor's context.
class shared_spend {
public:
    /// All references outlive it.
    shared_spend(base::executor ex, shared_limiter& limiter, storage::redis_client& redis, std::uint32_t replicas);

    /// Begins to renew the leases of requests under way, and to repeat what Redis has not heard.
    void start() { tasks_.spawn(tidy()); }
    /// Ends it. No request may be under way any more.
    [[nodiscard]] base::task<> close();

    struct question {
        std::string_view key_id;
        const base::event_id& id;  ///< of the request
        spend_state& state;
        spend_request wanted;
        base::wall_time wall;
    };
    struct outcome {
        std::optional<limit_decision> requests;  ///< nullopt: the limit of requests was not asked
        spend_decision spend;                    ///< counts only if `requests` does not deny
    };
    /// Takes all that `q` asks, or nothing; decides by the gateway's share when Redis does not answer within the
    /// deadline. What `hold` holds already is replaced when allowed, and kept when denied.
    /// @param owed null: the unit of the limits of requests is taken already. All that is referred to outlives the
    /// call.
    [[nodiscard]] base::task<outcome> take(const owed_request* owed, question q, base::spend_hold& hold);

    /// Tells Redis what a request has used that holds something there; `hold` is settled by the caller besides. Never
    /// waits: what Redis does not hear is repeated until the lease is over.
    void settle(std::string_view key_id, const base::event_id& id, const base::spend_hold& hold, std::uint64_t tokens,
                std::int64_t nano_usd) noexcept;

    /// Decided with and without Redis, where the limit of requests was not asked with it.
    [[nodiscard]] std::uint64_t asked() const noexcept { return asked_; }
    [[nodiscard]] std::uint64_t alone() const noexcept { return alone_; }
    /// Denied by a denial that was remembered.
    [[nodiscard]] std::uint64_t remembered() const noexcept { return remembered_; }

    /// Until a place that nobody renews is free again: how long a gateway that died can hold it.
    static constexpr std::chrono::milliseconds lease{60'000};

private:
    struct settlement {
        std::string key_id;
        std::string member;
        std::int64_t tokens_us = 0;
        std::int64_t units = 0;
        std::uint16_t day = 0;
        std::uint16_t month = 0;
        base::steady_time until;
    };
    struct open_request {
        std::string key_id;
        bool money = false;
    };

    [[nodiscard]] base::task<> send(settlement one);
    [[nodiscard]] base::task<> tidy();
    [[nodiscard]] base::task<> renew();

    shared_limiter& limiter_;
    redis_limits redis_;
    std::uint32_t replicas_;
    std::uint64_t asked_ = 0;
    std::uint64_t alone_ = 0;
    std::uint64_t remembered_ = 0;
    base::task_group tasks_;
    boost::asio::basic_waitable_timer<std::chrono::steady_clock, boost::asio::wait_traits<std::chrono::steady_clock>,
                                      base::executor>
        pause_;
    bool closed_ = false;
    base::steady_time renewed_;
    std::unordered_map<std::string, open_request> open_;  // by member
    std::vector<settlement> again_;                       // that Redis has not heard
};

}  // namespace concurred::auth
