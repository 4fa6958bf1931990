#pragma once

#include "gateway/base/clock.hpp"
#include "gateway/base/executor.hpp"
#include "gateway/base/task_group.hpp"
#include "storage/redis_codec.hpp"
#include "storage/redis_settings.hpp"
#include "storage/redis_socket.hpp"

#include <boost/asio/basic_waitable_timer.hpp>

#include <array>
#include <chrono>
#include <functional>
#include <random>
#include <string>
#include <string_view>

namespace concurred::storage {

/// A connection that listens to one channel and is made again whenever it breaks. Messages can be lost while it is not
/// there: whoever keeps state by them has to begin anew at each `on_subscribed`. Belongs to one shard; must outlive the
/// run of its executor's context.
class redis_subscriber {
public:
    using locator = std::function<base::task<base::result<redis_address>>()>;
    struct observer {
        std::function<void()> on_subscribed{};  ///< from now on messages arrive
        std::function<void(std::string_view payload)> on_message{};
        std::function<void(std::string_view why)> on_lost{};  ///< once for each loss or failed attempt
    };
    struct credentials {
        std::string user;
        std::string password;
    };

    redis_subscriber(base::executor ex, const redis_settings& settings, credentials who, std::string channel,
                     locator where, observer sees, std::chrono::milliseconds ping_interval = std::chrono::seconds{5});
    redis_subscriber(const redis_subscriber&) = delete;
    redis_subscriber& operator=(const redis_subscriber&) = delete;

    void start() { tasks_.spawn(run()); }
    void stop();
    /// After `stop`: nothing of it runs any more.
    [[nodiscard]] bool at_rest() const noexcept { return tasks_.running() == 0; }
    [[nodiscard]] bool subscribed() const noexcept { return subscribed_; }

private:
    using clock = std::chrono::steady_clock;
    using timer = boost::asio::basic_waitable_timer<clock, boost::asio::wait_traits<clock>, base::executor>;

    [[nodiscard]] base::task<> run();
    [[nodiscard]] base::task<std::string> listen();
    /// @return why it ends; empty: it goes on
    [[nodiscard]] std::string take(const redis_value& reply);
    [[nodiscard]] std::string greeting() const;
    void watch();

    base::executor executor_;
    const redis_settings& settings_;
    credentials who_;
    std::string channel_;
    locator where_;
    observer sees_;
    std::chrono::milliseconds ping_interval_;
    base::task_group tasks_;
    redis_socket socket_;
    timer pause_;
    timer watchdog_;
    std::minstd_rand random_;
    bool stopped_ = false;
    bool subscribed_ = false;
    bool attempting_ = false;
    base::steady_time last_heard_;
    base::steady_time last_ping_;
    std::array<char, 4'096> buffer_;
};

}  // namespace concurred::storage
