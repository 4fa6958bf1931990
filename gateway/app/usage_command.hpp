#pragma once

#include "gateway/app/load.hpp"
#include "gateway/base/clock.hpp"
#include "gateway/base/error.hpp"
#include "storage/usage_store.hpp"

#include <optional>
#include <string>

namespace concurred::app {

struct usage_options {
    config_options config;
    std::optional<std::string> from;   ///< YYYY-MM-DD, UTC; nullopt: 30 days up to `to`
    std::optional<std::string> to;     ///< included; nullopt: today
    std::optional<std::string> owner;  ///< nullopt: all owners
    std::optional<std::string> key;    ///< id; nullopt: all keys
    std::optional<std::string> by;     ///< "model", "key" or "provider"; nullopt: by model, or by day alone
    bool daily = false;
    bool json = false;
};

/// What to ask the store.
/// @return an error in words for the command line: no date, from after to, more than 366 days
[[nodiscard]] base::result<storage::usage_query> make_usage_query(const usage_options& options, std::int32_t today);

/// Prints what was used, as a table or as the body of `GET /api/v1/usage`. A missing database is an error, and is not
/// made.
/// @return an exit code; what went wrong is on stderr
[[nodiscard]] int show_usage(const usage_options& options, base::wall_time now);

}  // namespace concurred::app
