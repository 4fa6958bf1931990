#include "gateway/app/usage_command.hpp"

#include "gateway/app/command_database.hpp"
#include "gateway/app/console.hpp"
#include "gateway/app/exit_code.hpp"
#include "gateway/app/usage_table.hpp"
#include "gateway/base/utc_text.hpp"
#include "storage/usage_report_json.hpp"

#include <map>
#include <utility>

namespace concurred::app {

namespace {

// As in GET /api/v1/usage.
constexpr std::int32_t default_days = 30;
constexpr std::int32_t most_days = 366;

base::error bad_option(std::string message) {
    return base::client_error(base::errc::bad_request, std::move(message));
}

base::result<std::int32_t> read_day(const char* flag, const std::optional<std::string>& text, std::int32_t otherwise) {
    if (!text) {
        return otherwise;
    }
    if (const auto day = base::parse_utc_date(*text)) {
        return *day;
    }
    return bad_option(std::string(flag) + " must be a date like 2026-03-01, not '" + *text + "'");
}

/// Names of keys by their ids, those of revoked ones too.
base::result<std::map<std::string, std::string>> key_names(storage::api_key_store& keys) {
    auto rows = keys.list(std::nullopt, {.include_revoked = true});
    if (!rows) {
        return std::move(rows).error();
    }
    std::map<std::string, std::string> names;
    for (storage::api_key_row& row : *rows) {
        names.emplace(std::move(row.id), std::move(row.name));
    }
    return names;
}

}  // namespace

base::result<storage::usage_query> make_usage_query(const usage_options& options, std::int32_t today) {
    using storage::usage_group;
    storage::usage_query query;
    const auto to = read_day("--to", options.to, today);
    if (!to) {
        return to.error();
    }
    const auto from = read_day("--from", options.from, *to - default_days + 1);
    if (!from) {
        return from.error();
    }
    if (*from > *to) {
        return bad_option("--from must not be after --to, which is today if not given");
    }
    if (*to - *from >= most_days) {
        return bad_option("--from and --to must be at most " + std::to_string(most_days) + " days apart");
    }
    query.from_day = *from;
    query.to_day = *to;
    query.owner = options.owner;
    query.key_id = options.key;
    query.interval = options.daily ? storage::usage_interval::day : storage::usage_interval::none;
    if (options.by) {
        query.group = *options.by == "key"        ? usage_group::key
                      : *options.by == "provider" ? usage_group::provider
                                                  : usage_group::model;
    }
    return query;
}

int show_usage(const usage_options& options, base::wall_time now) {
    const auto query = make_usage_query(options, base::unix_day(now));
    if (!query) {
        return complain(exit_usage, base::text_of(query.error()));
    }
    const auto loaded = load_or_complain(options.config);
    if (!loaded) {
        return exit_configuration;
    }
    if (database_is_missing(*loaded->values)) {
        return complain_of_missing_database(*loaded->values);
    }
    const auto opened = open_database(*loaded->values);
    if (!opened) {
        return complain(opened.error());
    }
    const auto report = opened->usage->query(*query);
    if (!report) {
        return complain(report.error());
    }
    if (options.json) {
        say(storage::render_usage_report(*report) + "\n");
        return exit_ok;
    }
    const auto names = key_names(*opened->keys);
    if (!names) {
        return complain(names.error());
    }
    say("Usage from " + storage::day_text(query->from_day) + " to " + storage::day_text(query->to_day) + " (UTC)\n\n" +
        usage_table(*report, *names));
    return exit_ok;
}

}  // namespace concurred::app
