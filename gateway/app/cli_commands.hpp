#pragma once

#include "bench/bench_cli.hpp"
#include "bench/mock.hpp"
#include "gateway/app/healthcheck_command.hpp"
#include "gateway/app/keys_command.hpp"
#include "gateway/app/load.hpp"
#include "gateway/app/migrate_command.hpp"
#include "gateway/app/provider_keys_command.hpp"
#include "gateway/app/reconcile_command.hpp"
#include "gateway/app/usage_command.hpp"

#include <functional>
#include <string>

namespace CLI {
class App;
}

namespace concurred::app {

/// What the command line fills in.
struct command_set {
    config_options serve;
    key_create_options create;
    key_list_options list;
    key_update_options update;
    key_revoke_options revoke;
    key_rotate_options rotate;
    provider_key_add_options add_provider_key;
    provider_key_list_options list_provider_keys;
    provider_key_remove_options remove_provider_key;
    login_link_options login_link;
    config_options rotate_secrets;
    usage_options usage;
    reconcile_options reconcile;
    migrate_options migrate;
    healthcheck_options health;
    bench::mock_options mock;
    bench::bench_choice bench;
    config_options config;  ///< of check-config and print-config
    std::string check_file;
    std::string shell;
    bool json = false;            ///< of check-config, print-config and version
    std::function<int()> chosen;  ///< the command to run, set by parsing; refers to this object and the app
};

/// Declares all commands on `app`.
/// @param commands outlives `app`
void declare_commands(CLI::App& app, command_set& commands);

/// Declares `keys` and its commands.
void declare_keys(CLI::App& app, command_set& commands);

/// Declares `provider-keys`, `secrets` and `login-link`.
void declare_secrets(CLI::App& app, command_set& commands);

/// Declares `--config` and `--set`.
void add_config_options(CLI::App& command, config_options& options);

/// Declares `--json`.
void add_json_option(CLI::App& command, bool& json);

}  // namespace concurred::app
