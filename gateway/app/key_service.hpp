#pragma once

#include "auth/cached_key_source.hpp"
#include "auth/key_admin.hpp"
#include "auth/key_source.hpp"
#include "auth/replica_notes.hpp"
#include "auth/revocation_bus.hpp"
#include "auth/shared_key_cache.hpp"
#include "auth/unkey_client.hpp"
#include "auth/unkey_key_source.hpp"
#include "gateway/app/shared_state.hpp"
#include "gateway/base/logger.hpp"
#include "gateway/base/metrics.hpp"
#include "gateway/base/task_group.hpp"
#include "gateway/net/resolver.hpp"
#include "storage/redis_client.hpp"

#include <boost/asio/basic_waitable_timer.hpp>

#include <chrono>
#include <memory>
#include <optional>

namespace concurred::app {

/// Where the API keys of one shard are: looked up, made and changed. As configured: Unkey, behind Redis if there is
/// one, or the embedded store.
class key_service final : public auth::key_change_listener {
public:
    struct surroundings {
        base::executor shard;
        base::timing_wheel& wheel;
        net::resolver& resolver;
        storage::redis_client* redis;  ///< null: not configured, as is the bus then
        auth::revocation_bus* bus;
        shared_state& shared;
        base::logger& log;
        base::task_group& background;
        unsigned shards;
    };
    /// All of `around` outlives the service.
    explicit key_service(const surroundings& around);

    [[nodiscard]] auth::key_source& source() noexcept { return *source_; }
    [[nodiscard]] auth::key_admin& admin() noexcept { return *admin_; }

    /// Ends what is under way, for the end of the process.
    void stop() noexcept;

    [[nodiscard]] base::task<> changed(storage::api_key_row row) override;

    void report(base::metrics& to) const;

private:
    using timer =
        boost::asio::basic_waitable_timer<std::chrono::steady_clock,
                                          boost::asio::wait_traits<std::chrono::steady_clock>, base::executor>;

    [[nodiscard]] base::task<bool> tell_replicas(storage::api_key_row row);
    [[nodiscard]] base::task<> tell_later(storage::api_key_row row);

    shared_state& shared_;
    auth::revocation_bus* bus_;
    base::executor shard_;
    base::logger& log_;
    base::task_group& background_;
    std::optional<auth::unkey_client> unkey_;               // with [unkey]
    std::unique_ptr<auth::unkey_key_source> unkey_source_;  // the same
    std::unique_ptr<auth::shared_key_cache> replicas_;      // with [unkey] and [redis]
    std::optional<auth::key_record_codec> codec_;           // the same
    std::optional<auth::replica_notes> notes_;              // the same
    std::unique_ptr<auth::key_source> source_;
    auth::cached_key_source* cached_ = nullptr;  // what `source_` is then
    std::unique_ptr<auth::key_admin> admin_;
    bool stopping_ = false;
};

}  // namespace concurred::app
