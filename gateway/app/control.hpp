#pragma once

#include "gateway/app/admin.hpp"
#include "gateway/app/shard.hpp"

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/signal_set.hpp>

#include <memory>
#include <span>

namespace concurred::app {

/// The main thread: signals, the drain, and the admin listener. Serves no requests of clients.
class control {
public:
    /// All outlive it.
    control(shared_state& shared, std::span<const std::unique_ptr<shard>> shards, base::logger& log);

    /// Binds the admin address.
    [[nodiscard]] base::result<base::endpoint_config> listen(const base::endpoint_config& address);
    /// Serves until a signal has been carried out: all shards have ended their loops then.
    void run();

private:
    using timer =
        boost::asio::basic_waitable_timer<std::chrono::steady_clock,
                                          boost::asio::wait_traits<std::chrono::steady_clock>, base::executor>;

    void wait_for_signal();
    void on_signal(int number);
    void close_listeners();
    void on_deadline();
    void kill();
    void shard_finished();
    void report_progress();
    void after(std::chrono::milliseconds delay, timer& on, void (control::*then)());
    void each(void (*what)(shard&));
    [[nodiscard]] base::task<std::string> metrics_page();
    [[nodiscard]] bool all_turn() const noexcept;
    [[nodiscard]] std::string_view obstacle() const noexcept;

    shared_state& shared_;
    std::span<const std::unique_ptr<shard>> shards_;
    base::logger& log_;
    boost::asio::io_context io_{1};
    boost::asio::basic_signal_set<base::executor> signals_;
    timer step_;      // grace, then drain deadline, then the end
    timer progress_;  // a line every few seconds while draining
    base::timing_wheel wheel_;
    net::wheel_driver driver_;
    base::buffer_pool buffers_;
    server::exchange_pool exchanges_;
    server::date_text date_;
    admin admin_;
    server::session_context context_;
    server::listener listener_;
    base::task_group tasks_;
    base::wall_time started_;
    std::size_t running_;  // shards that have not ended
    bool draining_ = false;
};

}  // namespace concurred::app
