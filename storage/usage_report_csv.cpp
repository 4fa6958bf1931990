#include "storage/usage_report_csv.hpp"

#include "storage/usage_report_json.hpp"

#include <string_view>

namespace concurred::storage {

namespace {

constexpr std::string_view line_end = "\r\n";

/// Quoted where it must be, and where a spreadsheet would take it for a formula.
void append_field(std::string& out, std::string_view text) {
    const bool formula = !text.empty() && std::string_view("=+-@\t\r").find(text.front()) != std::string_view::npos;
    if (!formula && text.find_first_of("\",\r\n") == std::string_view::npos) {
        out.append(text);
        return;
    }
    out.push_back('"');
    out.append(formula ? "'" : "");
    for (const char c : text) {
        out.append(c == '"' ? 2 : 1, c);
    }
    out.push_back('"');
}

void append_sums(std::string& out, const usage_sums& sums) {
    out.append(std::to_string(sums.requests)).append(",").append(std::to_string(sums.tokens())).append(",");
    append_usd(out, sums.cost_nano_usd);
    out.append(",").append(std::to_string(sums.unpriced_requests));
    out.append(",").append(std::to_string(sums.estimated_requests)).append(line_end);
}

}  // namespace

std::string render_usage_csv(const usage_report& report) {
    const bool by_day = report.interval != usage_interval::none;
    const bool series = by_day || report.group != usage_group::none;
    std::string out = by_day ? "date," : "";
    if (!series || report.group != usage_group::none) {
        out.append(report.group == usage_group::key        ? "key,"
                   : report.group == usage_group::provider ? "provider,"
                                                           : "model,");
    }
    out.append("requests,tokens,cost_usd,unpriced_requests,estimated_requests").append(line_end);
    for (const usage_entry& entry : report.by_model) {
        if (!series) {
            append_field(out, entry.name);
            out.push_back(',');
            append_sums(out, entry.sums);
        }
    }
    for (const usage_point& point : report.series) {
        if (point.day) {
            out.append(day_text(*point.day)).append(",");
        }
        if (report.group != usage_group::none) {
            append_field(out, point.name);
            out.push_back(',');
        }
        append_sums(out, point.sums);
    }
    return out;
}

}  // namespace concurred::storage
