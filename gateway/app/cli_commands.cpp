#include "gateway/app/cli_commands.hpp"

#include "bench/mock_cli.hpp"
#include "gateway/app/completion.hpp"
#include "gateway/app/config_command.hpp"
#include "gateway/app/console.hpp"
#include "gateway/app/exit_code.hpp"
#include "gateway/app/process.hpp"
#include "gateway/app/version_command.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

namespace concurred::app {

namespace {

constexpr std::size_t help_column = 30;

/// CLI11's help without what only its author needs, and with one empty line between its parts.
class help_formatter final : public CLI::Formatter {
public:
    std::string make_help(const CLI::App* app, std::string name, CLI::AppFormatMode mode) const override {
        std::string text = CLI::Formatter::make_help(app, std::move(name), mode);
        for (auto at = text.find("\n\n\n"); at != std::string::npos; at = text.find("\n\n\n", at)) {
            text.erase(at, 1);
        }
        return text.substr(0, text.find_last_not_of('\n') + 1) + "\n";
    }
    std::string make_usage(const CLI::App* app, std::string name) const override {
        return "\n" + CLI::Formatter::make_usage(app, std::move(name));
    }
    std::string make_option_opts(const CLI::Option* option) const override {
        if (option->get_type_size() == 0) {
            return {};
        }
        const std::string type = option->get_type_name();
        const std::string value = option->get_default_str();
        return (type.empty() ? "" : " " + type) + (value.empty() ? "" : "=" + value) +
               (option->get_required() ? " (required)" : "");
    }
};

/// A check that a value is one of `words`, the last of which is behind "or".
std::function<std::string(const std::string&)> one_of(std::vector<std::string> words) {
    return [words = std::move(words)](const std::string& text) -> std::string {
        if (std::find(words.begin(), words.end(), text) != words.end()) {
            return "";
        }
        std::string wanted = "needs ";
        for (std::size_t i = 0; i < words.size(); ++i) {
            wanted.append(i == 0 ? "" : i + 1 < words.size() ? ", " : " or ").append(words[i]);
        }
        return wanted + ", not '" + text + "'";
    };
}

std::string not_empty(const std::string& text) {
    return text.empty() ? "needs a name, not an empty text" : "";
}

std::string key_and_value(const std::string& text) {
    const std::size_t equals = text.find('=');
    return equals == std::string::npos || equals == 0 ? "needs KEY=VALUE, e.g. log.level=debug" : "";
}

void add_shorthand(CLI::App& command, config_options& options, const char* flag, const char* key, const char* value,
                   const char* help) {
    command
        .add_option_function<std::string>(
            flag, [&options, key](const std::string& text) { options.shorthands.emplace_back(key, text); }, help)
        ->type_name(value);
}

int run_serve(const config_options& options) {
    const auto loaded = load_or_complain(options);
    return loaded ? serve(*loaded) : exit_configuration;
}

void declare_serve(CLI::App& app, command_set& commands) {
    CLI::App* command = app.add_subcommand("serve", "Run the gateway until it is told to stop");
    add_shorthand(*command, commands.serve, "--listen", "server.listen", "HOST:PORT", "address for clients");
    add_shorthand(*command, commands.serve, "--admin-listen", "server.admin_listen", "HOST:PORT",
                  "address of /metrics, /livez and /readyz");
    add_shorthand(*command, commands.serve, "--shards", "server.shards", "N", "event loops; 0: one per core");
    add_config_options(*command, commands.serve);
    command->footer(
        "SIGTERM drains: requests in flight run to their end, new ones go elsewhere. SIGINT (Ctrl-C) does so without\n"
        "waiting for the load balancer. A second signal ends at once.\n"
        "\n"
        "Examples:\n"
        "  concurred serve\n"
        "  concurred serve --listen :8080 --config /etc/concurred/concurred.toml\n"
        "  OPENAI_API_KEY=... concurred serve --set log.level=debug");
    command->callback([&commands] { commands.chosen = [&commands] { return run_serve(commands.serve); }; });
}

void declare_migrate(CLI::App& app, command_set& commands) {
    migrate_options& options = commands.migrate;
    CLI::App* command = app.add_subcommand("migrate", "Bring the databases' schema to this version");
    add_config_options(*command, options.config);
    command->footer("serve does it too. Any number of them may do it at the same time.");
    command->callback([&commands] { commands.chosen = [&commands] { return migrate_databases(commands.migrate); }; });
}

void declare_reconcile(CLI::App& usage, command_set& commands) {
    reconcile_options& options = commands.reconcile;
    CLI::App* command = usage.add_subcommand("reconcile", "Compare with a provider's own export");
    command->add_option("--provider-export", options.file, "its CSV, or the JSON of OpenAI's usage API by model")
        ->type_name("FILE")
        ->required();
    command->add_option("--provider", options.provider, "whose export it is, e.g. openai")
        ->type_name("NAME")
        ->required();
    add_config_options(*command, options.config);
    command->footer(
        "Compares requests, input and output tokens by UTC day and model. Requests without the provider's figures (of "
        "a\n"
        "killed process, of clients that left) may be on either side. Exit code 1: there are differences beyond "
        "these.");
    command->callback([&commands] { commands.chosen = [&commands] { return reconcile_usage(commands.reconcile); }; });
}

void declare_usage(CLI::App& app, command_set& commands) {
    usage_options& options = commands.usage;
    CLI::App* command = app.add_subcommand("usage", "Show requests, tokens and cost");
    command->add_option("--from", options.from, "first day, UTC (default: 30 days up to the last one)")
        ->type_name("DATE");
    command->add_option("--to", options.to, "last day, UTC, included (default: today)")->type_name("DATE");
    command->add_option("--owner", options.owner, "of this owner only")->type_name("OWNER");
    command->add_option("--key", options.key, "of this key only")->type_name("ID");
    command->add_option("--by", options.by, "a line for each model, key or provider (default: model)")
        ->type_name("WHAT")
        ->check(one_of({"model", "key", "provider"}));
    command->add_flag("--daily", options.daily, "a line for each day");
    add_json_option(*command, options.json);
    add_config_options(*command, options.config);
    command->footer(
        "Examples:\n"
        "  concurred usage\n"
        "  concurred usage --from 2026-03-01 --to 2026-03-31 --by key\n"
        "  concurred usage --daily --by provider --json\n"
        "  concurred usage reconcile --provider openai --provider-export usage.csv");
    declare_reconcile(*command, commands);
    command->callback([&commands, command] {
        if (command->get_subcommands().empty()) {
            commands.chosen = [&commands] { return show_usage(commands.usage, std::chrono::system_clock::now()); };
        }
    });
}

void declare_configuration(CLI::App& app, command_set& commands) {
    CLI::App* check = app.add_subcommand("check-config", "Check the configuration, say all that is wrong with it");
    check->add_option("FILE", commands.check_file, "the same as --config FILE")->type_name("")->check(not_empty);
    add_json_option(*check, commands.json);
    add_config_options(*check, commands.config);
    check->get_option("FILE")->excludes(check->get_option("--config"));
    check->footer(
        "Exit codes: 0, also with warnings; 78 with problems.\n"
        "\n"
        "Examples:\n"
        "  concurred check-config concurred.toml\n"
        "  concurred check-config --json");
    check->callback([&commands] {
        if (!commands.check_file.empty()) {
            commands.config.file = commands.check_file;
        }
        commands.chosen = [&commands] { return check_config_command(commands.config, commands.json); };
    });

    CLI::App* print =
        app.add_subcommand("print-config", "Print the configuration in force and where each value is from");
    add_json_option(*print, commands.json);
    add_config_options(*print, commands.config);
    print->footer("Secrets are masked. The output is a configuration file, but for them.");
    print->callback([&commands] {
        commands.chosen = [&commands] { return print_config_command(commands.config, commands.json); };
    });
}

void declare_healthcheck(CLI::App& app, command_set& commands) {
    CLI::App* command =
        app.add_subcommand("healthcheck", "Ask a running gateway whether it is ready: exit code 0 or 1");
    command->add_option("--url", commands.health.url, "what to ask (default: /readyz of server.admin_listen)")
        ->type_name("URL");
    add_config_options(*command, commands.health.config);
    command->footer(
        "Waits 3 seconds at most.\n"
        "\n"
        "Examples:\n"
        "  concurred healthcheck\n"
        "  concurred healthcheck --url http://127.0.0.1:9090/readyz");
    command->callback([&commands] { commands.chosen = [&commands] { return check_health(commands.health); }; });
}

void declare_tools(CLI::App& app, command_set& commands) {
    CLI::App* mock = app.add_subcommand("mock", "Run the mock provider: OpenAI's API without a model behind it");
    bench::add_mock_command(*mock, commands.mock);
    mock->callback([&commands] { commands.chosen = [&commands] { return bench::run_mock(commands.mock); }; });

    CLI::App* load = app.add_subcommand("bench", "Load a gateway and report what it did");
    bench::add_bench_command(*load, commands.bench, commands.chosen);

    CLI::App* version = app.add_subcommand("version", "Print the version and what it was built with");
    add_json_option(*version, commands.json);
    version->callback([&commands] { commands.chosen = [&commands] { return show_version(commands.json); }; });

    CLI::App* completion = app.add_subcommand("completion", "Print a script that completes commands in a shell");
    completion->add_option("SHELL", commands.shell, "bash")->type_name("")->required()->check(one_of({"bash"}));
    completion->footer("Example:\n  source <(concurred completion bash)");
    completion->callback([&commands, &app] {
        commands.chosen = [&app] {
            say(bash_completion(app));
            return exit_ok;
        };
    });
}

}  // namespace

void add_config_options(CLI::App& command, config_options& options) {
    command
        .add_option("-c,--config", options.file,
                    "TOML file (default: $CONCURRED_CONFIG, else ./concurred.toml if there)")
        ->type_name("FILE")
        ->check(not_empty)
        ->group("Configuration");
    command.add_option("--set", options.set, "set one key, e.g. log.level=debug; may be repeated; not for secrets")
        ->type_name("KEY=VALUE")
        ->allow_extra_args(false)
        ->check(key_and_value)
        ->group("Configuration");
}

void add_json_option(CLI::App& command, bool& json) {
    command.add_flag("--json", json, "print JSON");
}

void declare_commands(CLI::App& app, command_set& commands) {
    const auto formatter = std::make_shared<help_formatter>();
    formatter->column_width(help_column);
    formatter->label("SUBCOMMAND", "COMMAND");
    formatter->label("Positionals", "Arguments");
    app.formatter(formatter);
    app.set_help_flag("-h,--help", "Print this help");
    app.set_version_flag("-V,--version", version_line(), "Print the version");
    app.require_subcommand(1);
    declare_serve(app, commands);
    declare_keys(app, commands);
    declare_secrets(app, commands);
    declare_usage(app, commands);
    declare_migrate(app, commands);
    declare_configuration(app, commands);
    declare_healthcheck(app, commands);
    declare_tools(app, commands);
    for (CLI::App* command : app.get_subcommands({})) {
        command->group("Commands");
    }
    app.footer(
        "First steps:\n"
        "  concurred keys create --name laptop\n"
        "  concurred serve\n"
        "\n"
        "Values come from, strongest first: flags, the environment (CONCURRED__SERVER__LISTEN), the file, defaults.\n"
        "Exit codes: 0, 1 failed, 64 wrong usage, 69 unavailable, 78 wrong configuration.\n"
        "'concurred COMMAND --help' tells more.");
}

}  // namespace concurred::app
