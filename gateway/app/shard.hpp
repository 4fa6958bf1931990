#pragma once

#include "auth/authenticator.hpp"
#include "auth/session_verifier.hpp"
#include "gateway/app/key_service.hpp"
#include "gateway/app/shared_services.hpp"
#include "gateway/app/shared_state.hpp"
#include "gateway/base/access_log.hpp"
#include "gateway/base/buffer_pool.hpp"
#include "gateway/base/logger.hpp"
#include "gateway/base/metrics.hpp"
#include "gateway/net/resolver.hpp"
#include "gateway/net/wheel_driver.hpp"
#include "gateway/pipeline/chain.hpp"
#include "gateway/server/listener.hpp"
#include "upstream/owner_keys.hpp"
#include "upstream/provider.hpp"
#include "upstream/provider_probe.hpp"
#include "upstream/routing_state.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include <atomic>
#include <functional>
#include <memory>
#include <optional>

namespace concurred::app {

/// One core's gateway: everything it uses is its own, by value, in the order in which it is built and the reverse of
/// which it is destroyed. Runs on one thread; others reach it with `post`.
class shard {
public:
    /// Errors: in words for the operator.
    [[nodiscard]] static base::result<std::unique_ptr<shard>> make(shared_state& shared, unsigned number, unsigned of);
    ~shard();

    /// Binds the public address. Errors: the port is taken, ...
    [[nodiscard]] base::result<base::endpoint_config> listen(const base::endpoint_config& address);
    /// Serves until `finish` is complete. Call on the shard's own thread.
    void run();

    // From any thread:
    /// Runs `work` on the shard.
    void post(std::function<void()> work);
    /// When the shard's loop last came round; it does so every 100 ms.
    [[nodiscard]] base::steady_time last_turn() const noexcept;

    // On the shard's thread:
    void announce_drain() noexcept { session_context_->draining = true; }
    void stop_accepting();
    void abort_requests() noexcept { listener_->abort_requests(); }
    void kill() noexcept { listener_->kill(); }
    /// Ends `run` once the last session is gone, then calls `done` from the shard's thread.
    void finish(std::function<void()> done);
    [[nodiscard]] std::size_t sessions() const noexcept { return listener_->sessions(); }
    [[nodiscard]] base::metrics snapshot();
    [[nodiscard]] upstream::owner_keys& owner_keys() noexcept { return owner_keys_; }

private:
    shard(shared_state& shared, unsigned number, unsigned of);
    [[nodiscard]] base::result<void> build(unsigned of);
    [[nodiscard]] base::task<> wind_up(std::function<void()> done);
    void every_tick();

    std::atomic<base::steady_time> last_turn_;
    shared_state& shared_;
    unsigned number_;
    boost::asio::io_context io_{BOOST_ASIO_CONCURRENCY_HINT_UNSAFE_IO};  // its sockets are used on its thread only
    boost::asio::executor_work_guard<base::executor> work_;
    base::logger log_;
    base::access_log access_;
    base::metrics metrics_;
    base::timing_wheel wheel_;
    net::wheel_driver driver_;
    base::timing_wheel::timer log_flush_;
    base::steady_time next_health_view_{};
    base::buffer_pool buffers_;
    server::exchange_pool exchanges_;
    server::date_text date_;
    base::task_group background_;
    net::resolver resolver_;
    shared_services replicas_;
    std::optional<upstream::provider_table> providers_;
    upstream::owner_keys owner_keys_;
    std::optional<upstream::routing_state> routing_;
    upstream::provider_probe probe_;
    key_service keys_;
    auth::authenticator authenticator_;
    std::optional<auth::session_verifier> sessions_;
    std::optional<pipeline::chain> chain_;
    std::optional<server::session_context> session_context_;
    std::optional<server::listener> listener_;
};

}  // namespace concurred::app
