#pragma once

#include "gateway/base/error.hpp"

#include <string>
#include <string_view>

namespace concurred::app {

/// Writes to stdout: what the command was asked for, and nothing else. Failures show in `flushed`.
void say(std::string_view text);

/// Writes `text` and a line end to stderr.
void remark(std::string_view text);

/// Writes `concurred: <text>` to stderr.
/// @return `code`, so that a command can end with it
int complain(int code, std::string_view text);

/// The same for a failure of a store.
/// @return exit_unavailable if trying again, or repairing the surroundings, may help; else exit_failure
int complain(const base::error& e);

/// Whether all that was said left the process. Says so on stderr if not. Call it last.
[[nodiscard]] bool flushed();

/// `text` with U+FFFD in place of everything that could drive a terminal or mislead its reader.
[[nodiscard]] std::string printable(std::string_view text);

/// Whether somebody is there to answer: stdin and stderr are a terminal.
[[nodiscard]] bool can_ask();

/// Asks on stderr, reads one line of stdin.
/// @return whether the answer was "y" or "yes"
[[nodiscard]] bool ask(std::string_view question);

}  // namespace concurred::app
