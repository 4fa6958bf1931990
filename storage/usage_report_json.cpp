#include "storage/usage_report_json.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <string_view>

namespace concurred::storage {

namespace {

constexpr std::uint64_t nano_per_usd = 1'000'000'000;

void append_padded(std::string& out, std::uint64_t value, std::size_t digits) {
    const std::string text = std::to_string(value);
    out.append(digits > text.size() ? digits - text.size() : 0, '0').append(text);
}

/// Length of the well-formed UTF-8 sequence at the start of `text`, 0 if there is none (RFC 3629, section 4).
std::size_t utf8_length(std::string_view text) noexcept {
    const auto at = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
    const auto tail = [&](std::size_t i) { return (at(i) & 0xc0U) == 0x80U; };
    const unsigned lead = at(0);
    const unsigned second = at(1);
    if (lead < 0x80) {
        return 1;
    }
    if (lead >= 0xc2 && lead <= 0xdf && tail(1)) {
        return 2;
    }
    if (lead >= 0xe0 && lead <= 0xef && tail(1) && tail(2)) {
        const bool overlong = lead == 0xe0 && second < 0xa0;
        const bool surrogate = lead == 0xed && second >= 0xa0;
        return overlong || surrogate ? 0 : 3;
    }
    if (lead >= 0xf0 && lead <= 0xf4 && tail(1) && tail(2) && tail(3)) {
        const bool overlong = lead == 0xf0 && second < 0x90;
        const bool too_large = lead == 0xf4 && second >= 0x90;
        return overlong || too_large ? 0 : 4;
    }
    return 0;
}

void append_quoted(std::string& out, std::string_view text) {
    constexpr std::string_view hex = "0123456789abcdef";
    out.push_back('"');
    while (!text.empty()) {
        const std::size_t length = utf8_length(text);
        const auto first = static_cast<unsigned char>(text.front());
        if (length == 0) {  // names are cut to a fixed size, possibly inside a character
            out.append("\\ufffd");
        } else if (first == '"' || first == '\\') {
            out.append({'\\', text.front()});
        } else if (first < 0x20) {
            out.append("\\u00").append({hex[first >> 4U], hex[first & 0xfU]});
        } else {
            out.append(text.substr(0, length));
        }
        text.remove_prefix(length == 0 ? 1 : length);
    }
    out.push_back('"');
}

void append_sums(std::string& out, const usage_sums& sums) {
    out.append("\"requests\":").append(std::to_string(sums.requests));
    out.append(",\"tokens\":").append(std::to_string(sums.tokens()));
    out.append(",\"cost\":");
    append_usd(out, sums.cost_nano_usd);
    if (sums.unpriced_requests > 0) {
        out.append(",\"unpriced\":true");
    }
}

void append_point(std::string& out, const usage_point& point, usage_group group) {
    out.push_back('{');
    if (point.day) {
        out.append("\"date\":\"").append(day_text(*point.day)).append("\",");
    }
    if (group != usage_group::none) {
        out.append(group == usage_group::model ? "\"model\":"
                   : group == usage_group::key ? "\"key\":"
                                               : "\"provider\":");
        append_quoted(out, point.name);
        out.push_back(',');
    }
    append_sums(out, point.sums);
    out.push_back('}');
}

}  // namespace

void append_usd(std::string& out, std::int64_t nano_usd) {
    // Unsigned: the most negative value has no positive counterpart.
    const std::uint64_t amount =
        nano_usd < 0 ? 0 - static_cast<std::uint64_t>(nano_usd) : static_cast<std::uint64_t>(nano_usd);
    if (nano_usd < 0) {
        out.push_back('-');
    }
    out.append(std::to_string(amount / nano_per_usd));
    if (const std::uint64_t fraction = amount % nano_per_usd; fraction != 0) {
        out.push_back('.');
        append_padded(out, fraction, 9);
        out.erase(out.find_last_not_of('0') + 1);
    }
}

std::string day_text(std::int32_t day) {
    const std::chrono::year_month_day date{std::chrono::sys_days{std::chrono::days{day}}};
    std::string out;
    append_padded(out, static_cast<std::uint64_t>(std::max(0, static_cast<int>(date.year()))), 4);
    out.push_back('-');
    append_padded(out, static_cast<unsigned>(date.month()), 2);
    out.push_back('-');
    append_padded(out, static_cast<unsigned>(date.day()), 2);
    return out;
}

std::string render_usage_report(const usage_report& report) {
    std::string out = "{\"success\":true,\"data\":{\"totalRequests\":" + std::to_string(report.totals.requests);
    out.append(",\"totalTokens\":").append(std::to_string(report.totals.tokens())).append(",\"totalCost\":");
    append_usd(out, report.totals.cost_nano_usd);
    out.append(",\"byModel\":{");
    for (const usage_entry& entry : report.by_model) {
        if (&entry != report.by_model.data()) {
            out.push_back(',');
        }
        append_quoted(out, entry.name);
        out.append(":{");
        append_sums(out, entry.sums);
        out.push_back('}');
    }
    out.push_back('}');
    if (report.interval != usage_interval::none || report.group != usage_group::none) {
        out.append(",\"series\":[");
        for (const usage_point& point : report.series) {
            if (&point != report.series.data()) {
                out.push_back(',');
            }
            append_point(out, point, report.group);
        }
        out.push_back(']');
    }
    out.append("}}");
    return out;
}

}  // namespace concurred::storage
