#pragma once

#include "auth/key_admin.hpp"
#include "auth/unkey_client.hpp"
#include "crypto/openssl_handles.hpp"
#include "gateway/app/announce.hpp"
#include "gateway/app/command_database.hpp"
#include "gateway/base/config.hpp"
#include "gateway/base/executor.hpp"
#include "gateway/base/log_writer.hpp"
#include "gateway/base/logger.hpp"
#include "gateway/net/resolver.hpp"
#include "gateway/net/wheel_driver.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <exception>
#include <memory>
#include <optional>

namespace concurred::app {

/// The configuration's keys as a command works on them, wherever they are: in the database, beside a server that may be
/// running, or at Unkey's. Gateways that are running learn of changes.
class command_keys {
public:
    /// Errors: in words for the operator.
    [[nodiscard]] static base::result<std::unique_ptr<command_keys>> open(const base::config& settings);
    ~command_keys();
    command_keys(const command_keys&) = delete;
    command_keys& operator=(const command_keys&) = delete;

    [[nodiscard]] auth::key_admin& admin() noexcept { return *admin_; }

    /// Waits until `work` is complete and gives what it gives. An exception of the work comes out here.
    template <class T>
    [[nodiscard]] T run(base::task<T> work) {
        std::optional<T> value;
        boost::asio::co_spawn(io_, std::move(work), [&value](std::exception_ptr failure, T given) {
            if (failure) {
                std::rethrow_exception(failure);
            }
            value.emplace(std::move(given));
        });
        io_.restart();
        while (!value && io_.run_one() != 0) {
        }
        return std::move(*value);
    }

private:
    explicit command_keys(const base::config& settings);
    [[nodiscard]] base::result<void> connect();

    const base::config& settings_;
    change_announcer announcer_;
    boost::asio::io_context io_{1};
    base::timing_wheel wheel_;
    net::wheel_driver driver_;
    net::resolver resolver_;
    base::log_writer writer_;
    base::logger log_;
    crypto::ssl_ctx_handle tls_;
    std::unique_ptr<auth::unkey_client> unkey_;
    std::optional<command_database> database_;
    std::unique_ptr<storage::database_thread> thread_;  // its jobs use the database
    std::unique_ptr<auth::key_admin> admin_;
};

}  // namespace concurred::app
