#include "gateway/app/cli.hpp"

#include "gateway/app/cli_commands.hpp"
#include "gateway/app/cli_errors.hpp"
#include "gateway/app/console.hpp"
#include "gateway/app/exit_code.hpp"

#include <CLI/CLI.hpp>

namespace concurred::app {

int run(int argc, char** argv) {
    CLI::App app("Concurred Gateway: one OpenAI-compatible API in front of many model providers.", "concurred");
    command_set commands;
    declare_commands(app, commands);
    int code = exit_ok;
    try {
        app.parse(argc, argv);
        code = commands.chosen();
    } catch (const CLI::ParseError& e) {
        code = report_parse_error(app, e);
    }
    return code == exit_ok && !flushed() ? exit_failure : code;
}

}  // namespace concurred::app
