#include "gateway/app/cli_errors.hpp"

#include "gateway/app/console.hpp"
#include "gateway/app/exit_code.hpp"
#include "gateway/base/near_match.hpp"

#include <CLI/CLI.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace concurred::app {

namespace {

/// The innermost command that was recognised, and how it is called.
struct position {
    const CLI::App* command;
    std::string path;
};

position innermost(const CLI::App& app) {
    position at{&app, app.get_name()};
    for (auto parsed = at.command->get_subcommands(); !parsed.empty(); parsed = at.command->get_subcommands()) {
        at.command = parsed.front();
        at.path.append(" ").append(at.command->get_name());
    }
    return at;
}

std::string suggestion(std::string_view wanted, const std::vector<std::string>& names) {
    const std::vector<std::string_view> views(names.begin(), names.end());
    const std::string question = base::did_you_mean(base::nearest(wanted, views, 1));
    return question.empty() ? question : ", " + question;
}

std::string unknown_option(const position& at, const std::string& argument) {
    const CLI::App& command = *at.command;
    const std::string name = argument.substr(0, argument.find('='));  // what follows may be a secret
    if (command.get_option_no_throw(name) != nullptr) {
        return "option '" + name + "' must come after '" + at.path + "'";
    }
    std::vector<std::string> names;
    for (const CLI::Option* option : command.get_options()) {
        for (const std::string& known : option->get_lnames()) {
            names.push_back("--" + known);
        }
    }
    return "unknown option '" + printable(name) + "'" + suggestion(name, names);
}

std::string unknown_command(const CLI::App& group, const std::string& argument) {
    std::vector<std::string> names{"--help"};
    for (const CLI::App* command : group.get_subcommands({})) {
        names.push_back(command->get_name());
    }
    return "unknown command '" + printable(argument) + "'" + suggestion(argument, names);
}

std::string describe_extra(const position& at, const std::string& argument) {
    if (argument.starts_with('-')) {
        return unknown_option(at, argument);
    }
    if (!at.command->get_subcommands({}).empty()) {
        return unknown_command(*at.command, argument);
    }
    return "unexpected argument '" + printable(argument) + "'";
}

/// CLI11's message where it is plain, a better one where it is not.
std::string describe(const CLI::ParseError& error) {
    std::string text = error.what();
    if (dynamic_cast<const CLI::ArgumentMismatch*>(&error) != nullptr) {
        return text.substr(0, text.find(':')) +
               (text.ends_with("missing") ? " needs a value" : " can be given only once");
    }
    if (dynamic_cast<const CLI::ExcludesError*>(&error) != nullptr) {
        constexpr std::string_view excludes = " excludes ";
        if (const std::size_t found = text.find(excludes); found != std::string::npos) {
            text.replace(found, excludes.size(), " cannot be given together with ");
        }
    }
    return printable(text);
}

}  // namespace

int report_parse_error(const CLI::App& app, const CLI::ParseError& error) {
    const position at = innermost(app);
    if (dynamic_cast<const CLI::CallForVersion*>(&error) != nullptr) {
        say(std::string(error.what()) + "\n");
        return exit_ok;
    }
    if (error.get_exit_code() == static_cast<int>(CLI::ExitCodes::Success)) {
        say(app.help());
        return exit_ok;
    }
    // A misspelt option also leaves the right one missing: what is too much explains more than what is not there.
    const std::vector<std::string> extras = app.remaining(true);
    if (extras.empty() && at.command->get_require_subcommand_min() > 0) {
        say(app.help());
        return exit_usage;
    }
    complain(exit_usage, extras.empty() ? describe(error) : describe_extra(at, extras.front()));
    remark("Run '" + at.path + " --help' for help.");
    return exit_usage;
}

}  // namespace concurred::app
