#pragma once

namespace CLI {
class App;
class ParseError;
}  // namespace CLI

namespace concurred::app {

/// Does what CLI11 asks for by an exception: prints help or version to stdout, or one line on what is wrong with the
/// command line, with a suggestion, and a hint to stderr. A command group without a command gets its help.
/// @return exit_ok or exit_usage
[[nodiscard]] int report_parse_error(const CLI::App& app, const CLI::ParseError& error);

}  // namespace concurred::app
