#include "gateway/app/announce.hpp"

#include "auth/redis_key_cache.hpp"
#include "auth/replica_notes.hpp"
#include "auth/revocation_bus.hpp"
#include "crypto/key_ring.hpp"
#include "gateway/app/console.hpp"
#include "gateway/app/redis_setup.hpp"
#include "gateway/app/unkey_setup.hpp"
#include "gateway/base/log_writer.hpp"
#include "storage/redis_client.hpp"

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/co_spawn.hpp>

#include <algorithm>
#include <chrono>
#include <exception>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>

namespace concurred::app {

namespace {

using clock = std::chrono::steady_clock;
using timer = boost::asio::basic_waitable_timer<clock, boost::asio::wait_traits<clock>, base::executor>;

constexpr std::chrono::seconds patience{1};
constexpr std::chrono::milliseconds between_looks{5};

/// A connection to Redis for one message, with the event loop that it lives on.
class messenger {
public:
    /// Both outlive it.
    messenger(const base::config& settings, const storage::redis_settings& how, const crypto::key_ring& master)
        : redis_(io_.get_executor(), how,
                 {.on_up = {}, .on_down = [this](std::string_view why, storage::redis_errc) { why_ = why; }}),
          bus_(io_.get_executor(), redis_, states_, log_, false) {
        if (uses_unkey(settings)) {
            replicas_ = auth::make_redis_key_cache(redis_);
            codec_.emplace(make_record_codec(settings, master));
            notes_.emplace(*replicas_, *codec_);
        }
    }

    /// @return why not; empty: they were told
    [[nodiscard]] std::string tell(const storage::api_key_row& row) {
        boost::asio::co_spawn(io_, deliver(row), [](std::exception_ptr failure) {
            if (failure) {
                std::rethrow_exception(failure);
            }
        });
        io_.run();
        return told_ ? std::string() : why_;
    }

private:
    base::task<> deliver(storage::api_key_row row) {
        const auto deadline = clock::now() + patience;
        timer pause(io_.get_executor());
        redis_.start();
        while (!told_ && clock::now() < deadline) {
            if (redis_.up()) {
                const bool done = co_await try_once(row);
                told_ = done;
            } else {
                pause.expires_after(between_looks);
                static_cast<void>(co_await pause.async_wait(base::awaiting));
            }
        }
        bus_.stop();
        redis_.stop();
    }

    base::task<bool> try_once(storage::api_key_row row) {
        if (notes_) {
            const bool noted = co_await notes_->write(row);
            if (!noted) {
                co_return false;
            }
        }
        const bool heard = co_await bus_.announce(row.id);
        co_return heard;
    }

    boost::asio::io_context io_{1};
    base::log_writer writer_;
    base::logger log_{writer_, {.level = base::log_level::error}};
    auth::key_state_table states_;
    std::string why_ = "it does not answer";
    storage::redis_client redis_;
    auth::revocation_bus bus_;
    std::unique_ptr<auth::shared_key_cache> replicas_;  // with [unkey]
    std::optional<auth::key_record_codec> codec_;       // the same
    std::optional<auth::replica_notes> notes_;          // the same
    bool told_ = false;
};

std::string tell(const base::config& settings, const storage::api_key_row& row) {
    const auto setup = make_redis_setup(settings.redis, std::random_device{}());
    if (!setup) {
        return std::string(base::text_of(setup.error()));
    }
    if (*setup == nullptr) {
        return {};
    }
    const auto master = crypto::key_ring::parse(settings.secrets.master_key);
    if (!master) {
        return "secrets.master_key: " + std::string(base::text_of(master.error()));
    }
    storage::redis_settings how = (*setup)->settings;
    how.command_timeout = std::max<std::chrono::milliseconds>(how.command_timeout, patience);
    return messenger(settings, how, *master).tell(row);
}

}  // namespace

base::task<> change_announcer::changed(storage::api_key_row row) {
    const std::string why_not = tell(settings_, row);
    if (!why_not.empty()) {
        remark("The change is made, but Redis could not be told (" + why_not + "): gateways " +
               (uses_unkey(settings_) ? "" : "on other databases ") + "learn of it when they read the key again.");
    }
    co_return;
}

}  // namespace concurred::app
