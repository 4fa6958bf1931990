#pragma once

#include "gateway/app/load.hpp"
#include "gateway/base/clock.hpp"
#include "gateway/base/error.hpp"
#include "storage/api_key_store.hpp"

#include <optional>
#include <string>

namespace concurred::app {

// The commands for API keys. They work on the database, beside a running server: it notices their changes; or on the
// keys at Unkey's. Values are as people wrote them. All return an exit code; what went wrong is on stderr.

/// Limits besides requests; nullopt: as it is.
struct key_spend_options {
    std::optional<std::string> token_limit;
    std::optional<std::string> concurrency;
    std::optional<std::string> budget_day;
    std::optional<std::string> budget_month;

    [[nodiscard]] bool any() const noexcept { return token_limit || concurrency || budget_day || budget_month; }
};

struct key_create_options {
    config_options config;
    std::string name;
    std::optional<std::string> rate_limit;  ///< nullopt: limits.default_rate_limit
    std::string owner = "local";
    std::optional<std::string> expires;  ///< nullopt: never
    key_spend_options spend;
    bool json = false;
};

struct key_list_options {
    config_options config;
    std::optional<std::string> owner;  ///< nullopt: everybody's
    bool all = false;                  ///< revoked ones too
    bool json = false;
};

struct key_update_options {
    config_options config;
    std::string id;
    std::optional<std::string> name;
    std::optional<std::string> rate_limit;
    std::optional<std::string> expires;
    bool no_expiry = false;  ///< not with `expires`
    bool enable = false;
    bool disable = false;  ///< not with `enable`
    key_spend_options spend;
    bool json = false;
};

struct key_revoke_options {
    config_options config;
    std::string id;
    bool yes = false;  ///< do not ask
    bool json = false;
};

struct key_rotate_options {
    config_options config;
    std::string id;
    std::string grace = "24h";  ///< how long the old key works on
    bool json = false;
};

/// Reads the limits. Errors say which one is wrong and what is allowed.
[[nodiscard]] base::result<void> read_spend_options(const key_spend_options& options, storage::api_key_patch& patch);

/// Makes a key and prints it: the only time it is shown.
[[nodiscard]] int create_key(const key_create_options& options, base::wall_time now);

/// Prints keys. A missing database is an error, and is not made.
[[nodiscard]] int list_keys(const key_list_options& options, base::wall_time now);

/// Changes a key and prints what it is then.
[[nodiscard]] int update_key(const key_update_options& options, base::wall_time now);

/// Revokes a key for good. Asks first if there is somebody to ask; in a script or a pipe it does not.
[[nodiscard]] int revoke_key(const key_revoke_options& options);

/// Makes a key in the place of another and prints it: the only time it is shown.
[[nodiscard]] int rotate_key(const key_rotate_options& options, base::wall_time now);

}  // namespace concurred::app
