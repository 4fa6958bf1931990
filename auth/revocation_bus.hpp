#pragma once

#include "auth/key_state.hpp"
#include "gateway/base/logger.hpp"
#include "gateway/base/task_group.hpp"
#include "storage/redis_client.hpp"
#include "storage/redis_subscriber.hpp"

#include <boost/asio/basic_waitable_timer.hpp>

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>

namespace concurred::auth {

/// Counts every change of any key; also read beside cached records, to notice changes that were missed.
inline constexpr std::string_view revocation_epoch_key = "gw:epoch";
inline constexpr std::string_view revocation_channel = "gw:inval";

/// What a message on the channel says.
struct revocation_message {
    std::uint64_t epoch = 0;
    std::string_view key_id;  ///< "*": any key may have changed
};
[[nodiscard]] std::optional<revocation_message> parse_revocation(std::string_view payload) noexcept;

struct revocation_counters {
    std::uint64_t announced = 0;  ///< changes that Redis has taken
    std::uint64_t delayed = 0;    ///< changes that had to be announced again
    std::uint64_t received = 0;   ///< messages
    std::uint64_t flushes = 0;    ///< times all keys were forgotten, because messages may have been missed
};

/// Tells the other gateways that a key has changed, and hears it from them. A message makes every cached verification
/// of its key a miss; messages can be lost, so each new subscription makes all of them a miss. One for each shard, of
/// which one listens for the process. Must outlive the run of its executor's context. Source: identity.md 2.4, 7.4.
class revocation_bus {
public:
    /// All references outlive it.
    revocation_bus(base::executor ex, storage::redis_client& redis, key_state_table& states, base::logger& log,
                   bool listens);

    void start();
    void stop();

    /// To be called after a change is committed and before it is answered. Forgets the key here at once, and completes
    /// when Redis has taken the message or the deadline is over; then it is announced again until it succeeds.
    /// @return whether Redis has taken it
    [[nodiscard]] base::task<bool> announce(std::string key_id);

    [[nodiscard]] bool listens() const noexcept { return listener_.has_value(); }
    /// Whether messages arrive at the moment.
    [[nodiscard]] bool subscribed() const noexcept { return listener_ && listener_->subscribed(); }
    [[nodiscard]] const revocation_counters& counters() const noexcept { return counters_; }

private:
    [[nodiscard]] base::task<bool> publish(std::string key_id);
    [[nodiscard]] base::task<> announce_again();
    void heard(std::string_view payload);
    void listening();
    void lost(std::string_view why);

    storage::redis_client& redis_;
    key_state_table& states_;
    base::logger& log_;
    revocation_counters counters_;
    base::task_group tasks_;
    std::optional<storage::redis_subscriber> listener_;
    boost::asio::basic_waitable_timer<std::chrono::steady_clock, boost::asio::wait_traits<std::chrono::steady_clock>,
                                      base::executor>
        pause_;
    std::set<std::string> waiting_;  // to be announced again
    bool repeating_ = false;
    bool stopped_ = false;
    bool loss_reported_ = false;
};

}  // namespace concurred::auth
