#pragma once

#include "storage/redis_cluster.hpp"
#include "storage/redis_connection.hpp"
#include "storage/redis_script.hpp"
#include "storage/redis_subscriber.hpp"

#include <array>
#include <concepts>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

namespace concurred::storage {

/// Who wants to know how it goes.
struct redis_observer {
    std::function<void()> on_up{};
    /// Told once for each loss or failed attempt; `why` is for the operator and holds no secret.
    std::function<void(std::string_view why, redis_errc code)> on_down{};
};

/// Redis as one shard uses it, whatever it is: one server, a master that Sentinels name, or a Cluster, which is found
/// out by asking. Never makes a caller wait longer than `command_timeout`, and not at all while Redis is away.
/// Belongs to one shard; must outlive the run of its executor's context.
///
///     const auto r = co_await redis.call(key, "GET", key);     // one co_await per statement
///     if (r && !r->is_nil()) { use(r->text()); }
///
/// Two calls that are made before the first is awaited go out together, in their order (not in a Cluster).
class redis_client {
public:
    redis_client(base::executor ex, redis_settings settings, redis_observer sees = {});
    redis_client(const redis_client&) = delete;
    redis_client& operator=(const redis_client&) = delete;

    void start();
    /// Ends everything; waiting commands fail. Afterwards nothing of this keeps the context busy.
    void stop();

    /// Sends a command. Completes with its reply, or with why there is none; error replies are errors.
    /// @param key that decides which node of a Cluster gets it; empty: any node. All keys of a command have to be of
    /// one slot: give them the same {tag}.
    /// @param words the command and its arguments, any bytes; read during the call only
    /// @param by when it fails at the latest, if that is before `command_timeout` is over
    [[nodiscard]] base::task<redis_result> call(std::string_view key, std::span<const std::string_view> words,
                                                base::steady_time by = base::steady_time::max());
    /// The same with the words one by one: no braces, which this compiler cannot have beside a co_await.
    template <std::convertible_to<std::string_view>... Words>
    [[nodiscard]] base::task<redis_result> call(std::string_view key, std::string_view command, const Words&... words) {
        const std::array<std::string_view, 1 + sizeof...(Words)> all{command, std::string_view(words)...};
        return call(key, std::span<const std::string_view>(all));
    }

    /// Runs a script; sends its text when Redis does not know it, all within one deadline. A script whose reply did not
    /// come (`outcome_unknown`) may have run: do not repeat it unless that is harmless.
    /// @param script outlives the call, as do the texts behind @param keys (at least one) and @param arguments
    [[nodiscard]] base::task<redis_result> eval(const redis_script& script, std::span<const std::string_view> keys,
                                                std::span<const std::string_view> arguments);

    /// After `stop`: nothing of it runs any more.
    [[nodiscard]] bool at_rest() const noexcept;

    /// Whether a command would be sent at this moment.
    [[nodiscard]] bool up() const noexcept { return cluster_ ? cluster_->up() : primary_.up(); }
    [[nodiscard]] bool clustered() const noexcept { return cluster_ != nullptr; }
    [[nodiscard]] const redis_settings& settings() const noexcept { return settings_; }
    [[nodiscard]] const redis_counters& counters() const noexcept { return counters_; }

    /// Where a connection of one's own should go now: for `redis_subscriber`.
    [[nodiscard]] base::task<base::result<redis_address>> locate_again();

private:
    [[nodiscard]] base::task<base::result<redis_address>> locate();
    [[nodiscard]] base::task<base::result<redis_address>> next_sentinel();
    void hear_sentinel(std::string_view payload);
    void learn_slots(const redis_value& slots);

    base::executor executor_;
    redis_settings settings_;
    redis_observer sees_;
    redis_counters counters_;
    std::size_t next_host_ = 0;
    std::unique_ptr<redis_cluster> cluster_;
    redis_connection primary_;
    std::unique_ptr<redis_subscriber> sentinel_news_;  // of other masters
};

}  // namespace concurred::storage
