#pragma once

#include "gateway/base/executor.hpp"
#include "gateway/base/timing_wheel.hpp"

#include <boost/asio/basic_waitable_timer.hpp>

#include <chrono>

namespace concurred::net {

/// Lets a timing wheel follow the clock: one timer for all deadlines of a shard, once per tick. Belongs to one shard.
/// Must outlive the run of its executor's context, or at least everything the context runs after `stop`.
class wheel_driver {
public:
    /// @param wheel outlives the driver
    wheel_driver(base::executor ex, base::timing_wheel& wheel) : timer_(ex), wheel_(wheel) {}
    wheel_driver(const wheel_driver&) = delete;
    wheel_driver& operator=(const wheel_driver&) = delete;

    /// From now on, and until `stop`, the context has work to do.
    void start();
    void stop() noexcept;

private:
    void arm();

    boost::asio::basic_waitable_timer<std::chrono::steady_clock, boost::asio::wait_traits<std::chrono::steady_clock>,
                                      base::executor>
        timer_;
    base::timing_wheel& wheel_;
    bool running_ = false;
};

}  // namespace concurred::net
