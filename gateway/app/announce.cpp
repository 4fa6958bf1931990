#include "gateway/app/announce.hpp"

#include "auth/revocation_bus.hpp"
#include "gateway/app/console.hpp"
#include "gateway/app/redis_setup.hpp"
#include "gateway/base/log_writer.hpp"

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/co_spawn.hpp>

#include <chrono>
#include <random>

namespace concurred::app {

namespace {

using clock = std::chrono::steady_clock;
using timer = boost::asio::basic_waitable_timer<clock, boost::asio::wait_traits<clock>, base::executor>;

constexpr std::chrono::seconds patience{1};
constexpr std::chrono::milliseconds between_looks{5};

base::task<> tell(base::executor ex, storage::redis_client& redis, auth::revocation_bus& bus, std::string key_id,
                  bool& told) {
    const auto deadline = clock::now() + patience;
    timer pause(ex);
    redis.start();
    while (!told && clock::now() < deadline) {
        if (redis.up()) {
            const bool done = co_await bus.announce(key_id);
            told = done;
        } else {
            pause.expires_after(between_looks);
            static_cast<void>(co_await pause.async_wait(base::awaiting));
        }
    }
    bus.stop();
    redis.stop();
}

}  // namespace

void announce_key_change(const base::config& settings, const std::string& key_id) {
    const auto setup = make_redis_setup(settings.redis, std::random_device{}());
    if (!setup) {
        remark("Redis was not told of the change: " + std::string(base::text_of(setup.error())));
        return;
    }
    if (*setup == nullptr) {
        return;
    }
    boost::asio::io_context io{1};
    base::log_writer writer;
    base::logger log(writer, {.level = base::log_level::error});
    auth::key_state_table states;
    std::string why = "it does not answer";
    storage::redis_settings how = (*setup)->settings;
    how.command_timeout = std::max<std::chrono::milliseconds>(how.command_timeout, patience);
    storage::redis_client redis(
        io.get_executor(), how,
        {.on_up = {}, .on_down = [&why](std::string_view reason, storage::redis_errc) { why = reason; }});
    auth::revocation_bus bus(io.get_executor(), redis, states, log, false);
    bool told = false;
    boost::asio::co_spawn(io, tell(io.get_executor(), redis, bus, key_id, told), [](std::exception_ptr failure) {
        if (failure) {
            std::rethrow_exception(failure);
        }
    });
    io.run();
    if (!told) {
        remark("The change is stored, but Redis could not be told (" + why +
               "): gateways on other databases learn of it when they read the key again.");
    }
}

}  // namespace concurred::app
