#include "gateway/app/cli_commands.hpp"

#include <CLI/CLI.hpp>

#include <chrono>

namespace concurred::app {

namespace {

using std::chrono::system_clock;

constexpr const char* expiry_help = "30d, 12h, 90m from now, or the date (UTC) from which it no longer works";

void add_spend_options(CLI::App& command, key_spend_options& options) {
    command.add_option("--token-limit", options.token_limit, "tokens per minute; none: no such limit")->type_name("N");
    command.add_option("--concurrency", options.concurrency, "requests under way at a time; none: no such limit")
        ->type_name("N");
    command.add_option("--budget-day", options.budget_day, "USD in a UTC day; none: no such limit")->type_name("USD");
    command.add_option("--budget-month", options.budget_month, "USD in a UTC month; none: no such limit")
        ->type_name("USD");
}

void declare_create(CLI::App& keys, command_set& commands) {
    key_create_options& options = commands.create;
    CLI::App* command = keys.add_subcommand("create", "Make a key; it is shown this once");
    command->add_option("--name", options.name, "what it is for, 1 to 255 bytes")->type_name("NAME")->required();
    command->add_option("--rate-limit", options.rate_limit, "requests per minute (default: limits.default_rate_limit)")
        ->type_name("N");
    add_spend_options(*command, options.spend);
    command->add_option("--owner", options.owner, "who it belongs to (default: local)")->type_name("OWNER");
    command->add_option("--expires", options.expires, expiry_help)->type_name("WHEN");
    add_json_option(*command, options.json);
    add_config_options(*command, options.config);
    command->footer(
        "Examples:\n"
        "  concurred keys create --name laptop\n"
        "  concurred keys create --name ci --rate-limit 600 --expires 90d --json");
    command->callback(
        [&commands] { commands.chosen = [&commands] { return create_key(commands.create, system_clock::now()); }; });
}

void declare_list(CLI::App& keys, command_set& commands) {
    key_list_options& options = commands.list;
    CLI::App* command = keys.add_subcommand("list", "List keys");
    command->add_option("--owner", options.owner, "of this owner only")->type_name("OWNER");
    command->add_flag("--all", options.all, "revoked ones too");
    add_json_option(*command, options.json);
    add_config_options(*command, options.config);
    command->callback(
        [&commands] { commands.chosen = [&commands] { return list_keys(commands.list, system_clock::now()); }; });
}

void declare_update(CLI::App& keys, command_set& commands) {
    key_update_options& options = commands.update;
    CLI::App* command = keys.add_subcommand("update", "Change a key");
    command->add_option("ID", options.id, "as 'keys list' shows it")->type_name("")->required();
    command->add_option("--name", options.name, "what it is for")->type_name("NAME");
    command->add_option("--rate-limit", options.rate_limit, "requests per minute")->type_name("N");
    add_spend_options(*command, options.spend);
    CLI::Option* enable = command->add_flag("--enable", options.enable, "let it work again");
    CLI::Option* disable = command->add_flag("--disable", options.disable, "refuse it until it is enabled");
    CLI::Option* expires = command->add_option("--expires", options.expires, expiry_help)->type_name("WHEN");
    CLI::Option* no_expiry = command->add_flag("--no-expiry", options.no_expiry, "let it work without end");
    disable->excludes(enable);
    no_expiry->excludes(expires);
    add_json_option(*command, options.json);
    add_config_options(*command, options.config);
    command->footer(
        "A running server notices within a second.\n"
        "\n"
        "Examples:\n"
        "  concurred keys update key_Ab12 --rate-limit 1200\n"
        "  concurred keys update key_Ab12 --disable");
    command->callback(
        [&commands] { commands.chosen = [&commands] { return update_key(commands.update, system_clock::now()); }; });
}

void declare_revoke(CLI::App& keys, command_set& commands) {
    key_revoke_options& options = commands.revoke;
    CLI::App* command = keys.add_subcommand("revoke", "Revoke a key for good");
    command->add_option("ID", options.id, "as 'keys list' shows it")->type_name("")->required();
    command->add_flag("-y,--yes", options.yes, "do not ask");
    add_json_option(*command, options.json);
    add_config_options(*command, options.config);
    command->footer(
        "Asks on a terminal; without one, in a script or a pipe, it does not. A running server notices within a "
        "second.");
    command->callback([&commands] { commands.chosen = [&commands] { return revoke_key(commands.revoke); }; });
}

void declare_rotate(CLI::App& keys, command_set& commands) {
    key_rotate_options& options = commands.rotate;
    CLI::App* command = keys.add_subcommand("rotate", "Make a key in the place of another; it is shown this once");
    command->add_option("ID", options.id, "as 'keys list' shows it")->type_name("")->required();
    command->add_option("--grace", options.grace, "how long the old key works on: 30d, 12h, 90m, 0 (default: 24h)")
        ->type_name("TIME");
    add_json_option(*command, options.json);
    add_config_options(*command, options.config);
    command->footer(
        "The new key has the name, the owner and the limits of the old one.\n"
        "\n"
        "Example:\n"
        "  concurred keys rotate key_Ab12 --grace 2h");
    command->callback(
        [&commands] { commands.chosen = [&commands] { return rotate_key(commands.rotate, system_clock::now()); }; });
}

}  // namespace

void declare_keys(CLI::App& app, command_set& commands) {
    CLI::App* keys = app.add_subcommand("keys", "Make, list, change, rotate and revoke API keys");
    keys->require_subcommand(1);
    keys->footer("They work beside a running server, on the same database, or on the keys at Unkey's with [unkey].");
    declare_create(*keys, commands);
    declare_list(*keys, commands);
    declare_update(*keys, commands);
    declare_revoke(*keys, commands);
    declare_rotate(*keys, commands);
    for (CLI::App* command : keys->get_subcommands({})) {
        command->group("Commands");
    }
}

}  // namespace concurred::app
