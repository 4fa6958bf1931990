#include "gateway/app/reconcile_command.hpp"

#include "gateway/app/command_database.hpp"
#include "gateway/app/console.hpp"
#include "gateway/app/exit_code.hpp"
#include "gateway/app/table.hpp"
#include "gateway/base/utc_text.hpp"

#include <algorithm>
#include <fstream>
#include <map>
#include <sstream>
#include <string_view>
#include <utility>

namespace concurred::app {

namespace {

/// Whether `dated` is `name` with a date behind it, as providers write the version that served a request.
bool is_version_of(std::string_view dated, std::string_view name) noexcept {
    if (!dated.starts_with(name) || dated.size() <= name.size()) {
        return false;
    }
    const std::string_view rest = dated.substr(name.size());
    return rest.size() >= 9 && rest.front() == '-' && rest.find_first_not_of("-0123456789") == std::string_view::npos;
}

struct pair_of_sums {
    const exported_usage* theirs = nullptr;
    exported_usage merged;  // of all versions
    storage::usage_sums ours;
};

using lines_by_model = std::map<std::pair<std::int32_t, std::string>, pair_of_sums>;

void merge(exported_usage& into, const exported_usage& more) {
    const auto plus = [](auto& to, const auto& count) {
        if (count) {
            to = to.value_or(0) + *count;
        }
    };
    plus(into.requests, more.requests);
    plus(into.input_tokens, more.input_tokens);
    plus(into.output_tokens, more.output_tokens);
}

std::int64_t difference(const std::optional<std::uint64_t>& theirs, std::int64_t ours) noexcept {
    return theirs ? static_cast<std::int64_t>(*theirs) - ours : 0;
}

std::string signed_text(std::int64_t value) {
    return value > 0 ? "+" + std::to_string(value) : std::to_string(value);
}

}  // namespace

reconciliation reconcile(std::span<const exported_usage> theirs, const storage::usage_report& ours) {
    lines_by_model lines;
    for (const storage::usage_point& point : ours.series) {
        lines[{point.day.value_or(0), point.name}].ours += point.sums;
    }
    for (const exported_usage& one : theirs) {
        auto found = lines.find({one.day, one.model});
        if (found == lines.end()) {
            found = std::find_if(lines.begin(), lines.end(), [&](const auto& line) {
                return line.first.first == one.day && is_version_of(one.model, line.first.second);
            });
        }
        pair_of_sums& line = found != lines.end() ? found->second : lines[{one.day, one.model}];
        line.theirs = &one;
        merge(line.merged, one);
    }
    reconciliation outcome;
    text_table table;
    table.column("DAY");
    table.column("MODEL");
    for (const char* title :
         {"REQUESTS", "THEIRS-OURS", "INPUT", "THEIRS-OURS", "OUTPUT", "THEIRS-OURS", "ESTIMATED"}) {
        table.column(title, text_table::align::right);
    }
    table.column("");
    for (const auto& [key, line] : lines) {
        const storage::usage_sums& s = line.ours;
        const std::int64_t input = s.prompt_tokens + s.cache_read_tokens + s.cache_write_tokens;
        const std::int64_t output = s.completion_tokens + s.reasoning_tokens;
        // Refused before the provider was asked: not theirs to know.
        const std::int64_t asked = s.requests - s.failed;
        const std::int64_t requests_off = difference(line.merged.requests, asked);
        const std::int64_t input_off = difference(line.merged.input_tokens, input);
        const std::int64_t output_off = difference(line.merged.output_tokens, output);
        const bool differs = requests_off != 0 || input_off != 0 || output_off != 0 ||
                             (line.theirs == nullptr && (input != 0 || output != 0));
        // A request that failed at the provider or was estimated may count there or not; others must agree.
        const std::int64_t doubtful = s.estimated_requests + (s.errors - s.failed);
        const bool explained = doubtful > 0 && std::abs(requests_off) <= doubtful;
        const bool unexplained = differs && !explained;
        ++outcome.lines;
        outcome.unexplained += unexplained ? 1 : 0;
        table.row({base::utc_date(key.first), key.second, std::to_string(asked), signed_text(requests_off),
                   std::to_string(input), signed_text(input_off), std::to_string(output), signed_text(output_off),
                   std::to_string(s.estimated_requests),
                   unexplained ? "DIFFERS"
                   : differs   ? "within the estimated"
                               : "equal"});
    }
    outcome.table = table.text();
    return outcome;
}

int reconcile_usage(const reconcile_options& options) {
    std::ifstream file(options.file, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    if (!file) {
        return complain(exit_failure, "cannot read the file '" + printable(options.file) + "'");
    }
    const auto theirs = read_provider_export(text.view());
    if (!theirs) {
        return complain(exit_usage, base::text_of(theirs.error()));
    }
    if (theirs->empty()) {
        return complain(exit_usage, "the provider's export has no usage in it");
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
    storage::usage_query query;
    query.provider = options.provider;
    query.from_day = theirs->front().day;
    query.to_day = theirs->back().day;
    query.interval = storage::usage_interval::day;
    query.group = storage::usage_group::model;
    const auto ours = opened->usage->query(query);
    if (!ours) {
        return complain(ours.error());
    }
    const reconciliation found = reconcile(*theirs, *ours);
    say("Usage of " + printable(options.provider) + " from " + base::utc_date(query.from_day) + " to " +
        base::utc_date(query.to_day) + " (UTC): the provider's export against what was booked\n\n" + found.table +
        "\n" + std::to_string(found.lines) + " lines, " + std::to_string(found.unexplained) +
        " with a difference that " + "estimated requests do not explain\n");
    return found.unexplained == 0 ? exit_ok : exit_failure;
}

}  // namespace concurred::app
