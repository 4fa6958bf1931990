#include "gateway/app/command_keys.hpp"

#include "gateway/app/unkey_setup.hpp"

#include <chrono>
#include <utility>

namespace concurred::app {

command_keys::command_keys(const base::config& settings)
    : settings_(settings),
      announcer_(settings),
      wheel_(std::chrono::steady_clock::now()),
      driver_(io_.get_executor(), wheel_),
      resolver_(io_.get_executor()),
      log_(writer_, {.level = base::log_level::warn, .format = base::log_format_of(settings.log.format, 2)}) {}

command_keys::~command_keys() {
    if (unkey_) {
        unkey_->stop();
        driver_.stop();
        io_.poll();
    }
}

base::result<std::unique_ptr<command_keys>> command_keys::open(const base::config& settings) {
    std::unique_ptr<command_keys> made(new command_keys(settings));
    if (auto connected = made->connect(); !connected) {
        return std::move(connected).error();
    }
    return made;
}

base::result<void> command_keys::connect() {
    if (uses_unkey(settings_)) {
        auto tls = make_unkey_tls(settings_);
        if (!tls) {
            return std::move(tls).error();
        }
        tls_ = std::move(*tls);
        driver_.start();
        unkey_ = std::make_unique<auth::unkey_client>(
            unkey_params(settings_, io_.get_executor(), wheel_, resolver_, tls_.get(), log_, 1));
        admin_ = auth::make_unkey_key_admin(*unkey_, &announcer_);
        return {};
    }
    auto opened = open_database(settings_);
    if (!opened) {
        return std::move(opened).error();
    }
    database_ = std::move(*opened);
    thread_ = std::make_unique<storage::database_thread>();
    admin_ = auth::make_local_key_admin(io_.get_executor(), *thread_, *database_->keys, &announcer_,
                                        auth::error_reader::operators);
    return {};
}

}  // namespace concurred::app
