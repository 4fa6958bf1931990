#include "gateway/app/usage_table.hpp"

#include "gateway/app/table.hpp"
#include "storage/usage_report_json.hpp"

#include <algorithm>
#include <iterator>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace concurred::app {

namespace {

using storage::usage_group;
using storage::usage_point;
using storage::usage_sums;

std::size_t decimals_of(std::string_view amount) {
    const std::size_t point = amount.find('.');
    return point == std::string_view::npos ? 0 : amount.size() - point - 1;
}

/// Exact amounts with their points below each other; "unknown" where nothing is known of the cost.
std::vector<std::string> cost_cells(const std::vector<usage_sums>& lines) {
    std::vector<std::string> cells;
    std::size_t decimals = 2;
    for (const usage_sums& sums : lines) {
        cells.emplace_back();
        storage::append_usd(cells.back(), sums.cost_nano_usd);
        decimals = std::max(decimals, decimals_of(cells.back()));
    }
    for (std::size_t i = 0; i < cells.size(); ++i) {
        if (lines[i].unpriced_requests > 0 && lines[i].cost_nano_usd == 0) {
            cells[i] = "unknown";
            continue;
        }
        const std::size_t present = decimals_of(cells[i]);
        cells[i].append(present == 0 ? "." : "").append(decimals - present, '0');
    }
    return cells;
}

std::vector<usage_point> lines_of(const storage::usage_report& report) {
    if (report.interval != storage::usage_interval::none || report.group != usage_group::none) {
        return report.series;
    }
    std::vector<usage_point> lines;
    for (const storage::usage_entry& entry : report.by_model) {
        lines.push_back({std::nullopt, entry.name, entry.sums});
    }
    return lines;
}

const char* title_of(usage_group group) {
    switch (group) {
        case usage_group::key:
            return "KEY";
        case usage_group::provider:
            return "PROVIDER";
        case usage_group::none:
        case usage_group::model:
            break;
    }
    return "MODEL";
}

std::string count_or_nothing(std::int64_t count) {
    return count == 0 ? std::string() : std::to_string(count);
}

}  // namespace

std::string usage_table(const storage::usage_report& report, const std::map<std::string, std::string>& key_names) {
    if (report.totals.requests == 0) {
        return "No requests.\n";
    }
    std::vector<usage_point> lines = lines_of(report);
    lines.push_back({std::nullopt, "", report.totals});
    std::vector<usage_sums> sums;
    std::transform(lines.begin(), lines.end(), std::back_inserter(sums), [](const usage_point& p) { return p.sums; });
    const std::vector<std::string> costs = cost_cells(sums);

    text_table table;
    const bool daily = report.interval == storage::usage_interval::day;
    table.column("DAY");
    table.column(title_of(report.group));
    table.column("NAME");
    for (const char* title : {"REQUESTS", "ERRORS", "INPUT", "OUTPUT", "COST USD", "UNPRICED"}) {
        table.column(title, text_table::align::right);
    }
    for (std::size_t i = 0; i < lines.size(); ++i) {
        usage_point& line = lines[i];
        const bool totals = i + 1 == lines.size();
        const auto name = report.group == usage_group::key ? key_names.find(line.name) : key_names.end();
        const std::int64_t input = line.sums.prompt_tokens + line.sums.cache_read_tokens + line.sums.cache_write_tokens;
        const std::int64_t output = line.sums.completion_tokens + line.sums.reasoning_tokens;
        table.row({totals && daily ? "total"
                   : line.day      ? storage::day_text(*line.day)
                                   : "",
                   totals && !daily ? "total" : line.name, name == key_names.end() ? "" : name->second,
                   std::to_string(line.sums.requests), std::to_string(line.sums.errors), std::to_string(input),
                   std::to_string(output), costs[i], count_or_nothing(line.sums.unpriced_requests)});
    }
    std::string text = table.text();
    if (report.totals.unpriced_requests > 0) {
        text += "\nUNPRICED: requests for models without a known price; their cost is not in the sums.\n";
    }
    return text;
}

}  // namespace concurred::app
