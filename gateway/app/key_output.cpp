#include "gateway/app/key_output.hpp"

#include "gateway/app/console.hpp"
#include "gateway/app/json_object.hpp"
#include "gateway/app/table.hpp"
#include "gateway/base/utc_text.hpp"

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
    for (const char* title : {"STATE", "CREATED (UTC)", "LAST USED", "EXPIRES"}) {
        table.column(title);
    }
    for (const api_key_row& row : rows) {
        table.row({row.id, row.start + "...", row.name, row.owner_id, std::to_string(row.rate_limit),
                   key_state_text(row, now), minute_text(row.created_ms), minute_or(row.last_used_ms, "never"),
                   minute_or(row.expires_ms, "")});
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
    line("State", key_state_text(row, now));
    line("Expires", row.expires_ms ? minute_text(*row.expires_ms) + " UTC" : "never");
    return out;
}

}  // namespace concurred::app
