#include "gateway/app/cli_commands.hpp"

#include <CLI/CLI.hpp>

#include <chrono>

namespace concurred::app {

namespace {

using std::chrono::system_clock;

void declare_add(CLI::App& group, command_set& commands) {
    provider_key_add_options& options = commands.add_provider_key;
    CLI::App* command =
        group.add_subcommand("add", "Store a provider's key for an owner; it is read from standard input");
    command->add_option("--provider", options.provider, "openai, anthropic, google, x-ai, openrouter or minimax")
        ->type_name("NAME")
        ->required();
    command->add_option("--slug", options.slug, "a name for it, unique for the owner")->type_name("SLUG")->required();
    command->add_option("--display-name", options.display_name, "a text for people (default: the slug)")
        ->type_name("TEXT");
    command->add_option("--owner", options.owner, "who it belongs to (default: local)")->type_name("OWNER");
    command->add_option("--key-file", options.key_file, "file with the key (default: standard input)")
        ->type_name("FILE");
    add_json_option(*command, options.json);
    add_config_options(*command, options.config);
    command->footer(
        "The key is not an option: others on the machine can read command lines.\n"
        "\n"
        "Examples:\n"
        "  concurred provider-keys add --provider openai --slug mine < key.txt\n"
        "  concurred provider-keys add --provider anthropic --slug team --owner alice --key-file key.txt");
    command->callback([&commands] {
        commands.chosen = [&commands] { return add_provider_key(commands.add_provider_key, system_clock::now()); };
    });
}

}  // namespace

void declare_secrets(CLI::App& app, command_set& commands) {
    CLI::App* group = app.add_subcommand("provider-keys", "Store, list and remove keys of providers that owners bring");
    group->require_subcommand(1);
    group->footer("They work beside a running server, which notices within a second.");
    declare_add(*group, commands);

    CLI::App* list = group->add_subcommand("list", "List provider keys, the last four characters of each");
    list->add_option("--owner", commands.list_provider_keys.owner, "of this owner only")->type_name("OWNER");
    add_json_option(*list, commands.list_provider_keys.json);
    add_config_options(*list, commands.list_provider_keys.config);
    list->callback(
        [&commands] { commands.chosen = [&commands] { return list_provider_keys(commands.list_provider_keys); }; });

    CLI::App* remove = group->add_subcommand("remove", "Delete a provider key for good");
    remove->add_option("ID", commands.remove_provider_key.id, "as 'provider-keys list' shows it")
        ->type_name("")
        ->required();
    remove->add_flag("-y,--yes", commands.remove_provider_key.yes, "do not ask");
    add_config_options(*remove, commands.remove_provider_key.config);
    remove->callback([&commands] {
        commands.chosen = [&commands] {
            return remove_provider_key(commands.remove_provider_key, system_clock::now());
        };
    });

    CLI::App* secrets = app.add_subcommand("secrets", "Change the master key");
    secrets->require_subcommand(1);
    CLI::App* rotate = secrets->add_subcommand("rotate", "Seal everything again with the first of the master keys");
    add_config_options(*rotate, commands.rotate_secrets);
    rotate->footer(
        "1. Put the new key in front, secrets.master_key = \"NEW,OLD\", and restart every gateway.\n"
        "2. Run this, beside the running gateways.\n"
        "3. Take the old key out.");
    rotate->callback(
        [&commands] { commands.chosen = [&commands] { return rotate_secrets(commands.rotate_secrets); }; });

    CLI::App* link = app.add_subcommand("login-link", "Print a link that signs in to the dashboard, once");
    link->add_option("--owner", commands.login_link.owner, "as whom (default: local)")->type_name("OWNER");
    add_config_options(*link, commands.login_link.config);
    link->footer("Only without [supabase], where the gateway issues the sessions itself.");
    link->callback([&commands] {
        commands.chosen = [&commands] { return print_login_link(commands.login_link, system_clock::now()); };
    });
    for (CLI::App* parent : {group, secrets}) {
        for (CLI::App* command : parent->get_subcommands({})) {
            command->group("Commands");
        }
    }
}

}  // namespace concurred::app
