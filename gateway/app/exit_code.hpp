#pragma once

namespace concurred::app {

// Exit codes of all commands; the last three as in sysexits.h.

inline constexpr int exit_ok = 0;
inline constexpr int exit_failure = 1;  ///< the command could not do what it was asked: unknown key, not ready, ...
inline constexpr int exit_usage = 64;   ///< the command line is wrong
inline constexpr int exit_unavailable = 69;    ///< a port, a file or the database cannot be used
inline constexpr int exit_configuration = 78;  ///< the configuration is wrong

}  // namespace concurred::app
