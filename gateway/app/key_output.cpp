#include "gateway/app/key_output.hpp"

#include "auth/key_limits.hpp"
#include "gateway/app/console.hpp"
#include "gateway/app/json_object.hpp"
#include "gateway/app/table.hpp"
#include "gateway/base/utc_text.hpp"
#include "storage/usage_report_json.hpp"

#include <algorithm>
#include <optional>

namespace concurred::app {

namespace {

using storage::api_key_row;

std::string timestamp(std::int64_t unix_ms) {
    // The clock counts nanoseconds: later times than it can hold, from elsewhere, are shown as the last one.
    constexpr auto last = std::chrono::floor<std::chrono::milliseconds>(base::wall_time::duration::max());
    return base::utc_timestamp(base::wall_time(std::min(std::chrono::milliseconds(unix_ms), last)));
}

void add_time(json_object& object, std::string_view name, std::optional<std::int64_t> unix_ms) {
    if (unix_ms) {
        object.add(name, timestamp(*unix_ms));
    } else {
        object.add_json(name, "null");
    }
}

/// To the minute: "2026-11-23 10:00".
std::string minute_text(std::int64_t unix_ms) {
    std::string text = timestamp(unix_ms).substr(0, 16);
    std::replace(text.begin(), text.end(), 'T', ' ');
    return text;
}

std::string minute_or(std::optional<std::int64_t> unix_ms, const char* otherwise) {
    return unix_ms ? minute_text(*unix_ms) : otherwise;
}

std::string usd(std::int64_t nano_usd) {
    std::string text;
    storage::append_usd(text, nano_usd);
    return text;
}

/// "5 USD a day, 100 USD a month"; empty: none.
std::string budget_text(const storage::key_spend_limits& spend) {
    std::string text = spend.budget_day_nano_usd != 0 ? usd(spend.budget_day_nano_usd) + " USD a day" : "";
    if (spend.budget_month_nano_usd != 0) {
        text.append(text.empty() ? "" : ", ").append(usd(spend.budget_month_nano_usd)).append(" USD a month");
    }
    return text;
}

/// "5000 tok/min; 2 at once; 5 USD a day"
std::string spend_text(const storage::key_spend_limits& spend) {
    std::string text = spend.tokens_per_minute != 0 ? std::to_string(spend.tokens_per_minute) + " tok/min" : "";
    const auto more = [&text](const std::string& part) {
        text.append(text.empty() || part.empty() ? "" : "; ").append(part);
    };
    more(spend.concurrency != 0 ? std::to_string(spend.concurrency) + " at once" : "");
    more(budget_text(spend));
    return text;
}

}  // namespace

std::string key_state_text(const api_key_row& row, base::wall_time now) {
    if (row.deleted_ms) {
        return "revoked";
    }
    if (row.expires_ms && *row.expires_ms <= base::unix_millis(now)) {
        return "expired";
    }
    return row.enabled ? "active" : "disabled";
}

std::string key_json(const api_key_row& row) {
    json_object object;
    object.add("keyId", row.id).add("name", row.name).add("start", row.start).add("owner", row.owner_id);
    object.add("rateLimit", row.rate_limit).add("enabled", row.enabled);
    object.add_members(auth::spend_limit_members(row.spend));
    add_time(object, "createdAt", row.created_ms);
    add_time(object, "expiresAt", row.expires_ms);
    add_time(object, "lastUsedAt", row.last_used_ms);
    add_time(object, "revokedAt", row.deleted_ms);
    return object.text();
}

std::string keys_json(std::span<const api_key_row> rows) {
    std::string out = "[";
    for (const api_key_row& row : rows) {
        out.append(&row == rows.data() ? "\n" : ",\n").append(key_json(row));
    }
    return out.append(rows.empty() ? "]\n" : "\n]\n");
}

std::string keys_table(std::span<const api_key_row> rows, base::wall_time now) {
    text_table table;
    for (const char* title : {"ID", "KEY", "NAME", "OWNER"}) {
        table.column(title);
    }
    table.column("LIMIT/MIN", text_table::align::right);
    for (const char* title : {"STATE", "CREATED (UTC)", "LAST USED", "EXPIRES", "FURTHER LIMITS"}) {
        table.column(title);
    }
    for (const api_key_row& row : rows) {
        table.row({row.id, row.start + "...", row.name, row.owner_id, std::to_string(row.rate_limit),
                   key_state_text(row, now), minute_text(row.created_ms), minute_or(row.last_used_ms, "never"),
                   minute_or(row.expires_ms, ""), spend_text(row.spend)});
    }
    return table.text();
}

std::string key_text(const api_key_row& row, base::wall_time now) {
    std::string out;
    const auto line = [&out](std::string label, const std::string& value) {
        label.resize(12, ' ');
        out.append(label).append(printable(value)).append("\n");
    };
    line("Key id", row.id);
    line("Name", row.name);
    line("Owner", row.owner_id);
    line("Rate limit", std::to_string(row.rate_limit) + " requests per minute");
    if (row.spend.tokens_per_minute != 0) {
        line("Tokens", std::to_string(row.spend.tokens_per_minute) + " per minute");
    }
    if (row.spend.concurrency != 0) {
        line("Concurrency", std::to_string(row.spend.concurrency) + " requests at a time");
    }
    if (const std::string budget = budget_text(row.spend); !budget.empty()) {
        line("Budget", budget);
    }
    line("State", key_state_text(row, now));
    line("Expires", row.expires_ms ? minute_text(*row.expires_ms) + " UTC" : "never");
    return out;
}

}  // namespace concurred::app
