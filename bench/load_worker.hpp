#pragma once

#include "bench/arrivals.hpp"
#include "bench/load_figures.hpp"
#include "bench/load_request.hpp"
#include "bench/scenario.hpp"
#include "crypto/openssl_handles.hpp"
#include "gateway/base/task_group.hpp"
#include "gateway/base/timing_wheel.hpp"
#include "gateway/net/wheel_driver.hpp"

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <array>
#include <deque>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace concurred::bench {

using load_timer =
    boost::asio::basic_waitable_timer<std::chrono::steady_clock, boost::asio::wait_traits<std::chrono::steady_clock>,
                                      base::executor>;

/// What all threads of a run share; only read while it runs.
struct load_plan {
    const scenario& what;
    std::vector<load_request> requests;  ///< one for each kind
    boost::asio::ip::tcp::endpoint target;
    std::string host;            ///< whose certificate is expected, with `tls`
    crypto::ssl_ctx_handle tls;  ///< null: plain TCP
    base::steady_time begin{};
    std::chrono::nanoseconds window{std::chrono::seconds{1}};
};

/// One request to be made.
struct load_job {
    std::size_t kind = 0;
    std::size_t key = 0;
    base::steady_time planned{};
};

class load_connection;

/// One thread of the load generator: its event loop, its connections, its part of the load and of the figures.
class load_worker {
public:
    /// \param plan outlives it \param part of `plan.what.threads`
    load_worker(const load_plan& plan, unsigned part);
    ~load_worker();
    load_worker(const load_worker&) = delete;
    load_worker& operator=(const load_worker&) = delete;

    /// Makes the load on the calling thread, until the plan is over and its answers have come or were given up.
    void run();
    /// Ends it early, as if the plan were over; from any thread.
    void stop();

    /// After `run`.
    [[nodiscard]] const load_figures& figures() const noexcept { return figures_; }
    /// An exception that ended a connection's coroutine, as text; empty: none.
    [[nodiscard]] const std::string& fault() const noexcept { return fault_; }

    // For its connections.

    /// The next request for a connection that is free; nothing: it is to wait, or to leave when `over`.
    [[nodiscard]] bool take_job(load_connection& free, load_job& job);
    [[nodiscard]] bool over() const noexcept { return over_; }
    [[nodiscard]] const load_plan& plan() const noexcept { return plan_; }
    [[nodiscard]] base::executor executor() noexcept { return context_.get_executor(); }
    [[nodiscard]] base::timing_wheel& wheel() noexcept { return wheel_; }
    [[nodiscard]] load_figures& record() noexcept { return figures_; }
    /// Memory for one read, for whoever uses it up before the next `co_await`.
    [[nodiscard]] std::span<char> scratch() noexcept { return scratch_; }

private:
    [[nodiscard]] base::task<> conduct();
    [[nodiscard]] base::task<> start_open();
    [[nodiscard]] base::task<> start_closed();
    [[nodiscard]] base::task<> pause_until(base::steady_time at);
    [[nodiscard]] base::task<> drive(load_connection& connection);
    [[nodiscard]] base::task<> hold_idle();
    [[nodiscard]] load_job make_job(base::steady_time planned);
    [[nodiscard]] unsigned share_of(double whole) const noexcept;
    load_connection& add_connection();
    void finish();

    const load_plan& plan_;
    unsigned part_;
    boost::asio::io_context context_{1};
    base::timing_wheel wheel_;
    net::wheel_driver driver_;
    load_timer timer_;
    base::task_group tasks_;
    load_figures figures_;
    repeatable_random random_;
    std::vector<double> weights_;  // running sums
    std::vector<std::unique_ptr<load_connection>> connections_;
    std::vector<load_connection*> free_;
    std::deque<load_job> queue_;  // planned, and no connection for it yet
    std::string fault_;
    std::size_t wanted_ = 0;  // closed loop: connections that are to be busy
    std::size_t busy_ = 0;
    bool ending_ = false;  // no new requests
    bool over_ = false;    // nothing any more
    std::array<char, 64 * 1024> scratch_{};
};

}  // namespace concurred::bench
