#pragma once

#include "gateway/app/load.hpp"
#include "gateway/base/clock.hpp"

#include <optional>
#include <string>

namespace concurred::app {

// The commands for provider keys, master keys and sessions. They work on the database, beside a running server, which
// notices within a second. All return an exit code; what went wrong is on stderr.

struct provider_key_add_options {
    config_options config;
    std::string provider;
    std::string slug;
    std::string display_name;  ///< empty: the slug
    std::string owner = "local";
    std::string key_file;  ///< empty: standard input. Never the command line, which others can read
    bool json = false;
};

struct provider_key_list_options {
    config_options config;
    std::optional<std::string> owner;  ///< nullopt: everybody's
    bool json = false;
};

struct provider_key_remove_options {
    config_options config;
    std::string id;
    bool yes = false;  ///< do not ask
};

struct login_link_options {
    config_options config;
    std::string owner = "local";
};

/// Stores a provider's key for an owner, sealed.
[[nodiscard]] int add_provider_key(const provider_key_add_options& options, base::wall_time now);
/// Prints provider keys, with the last four characters at most.
[[nodiscard]] int list_provider_keys(const provider_key_list_options& options);
/// Deletes a provider key for good.
[[nodiscard]] int remove_provider_key(const provider_key_remove_options& options, base::wall_time now);
/// Seals everything again with the first of the master keys, so that the others can be taken away.
[[nodiscard]] int rotate_secrets(const config_options& options);
/// Prints a one-time link for signing in to the dashboard.
[[nodiscard]] int print_login_link(const login_link_options& options, base::wall_time now);

}  // namespace concurred::app
