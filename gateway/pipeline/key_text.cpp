#include "gateway/pipeline/key_text.hpp"

#include "auth/key_limits.hpp"
#include "auth/spend.hpp"
#include "gateway/base/clock.hpp"
#include "gateway/base/utc_text.hpp"
#include "gateway/http/json_string.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace concurred::pipeline {

namespace {

using base::result;
using storage::api_key_row;

constexpr std::uint32_t most_grace =
    static_cast<std::uint32_t>(std::chrono::duration_cast<std::chrono::seconds>(auth::longest_grace).count());

void add_text(std::string& out, std::string_view name, std::string_view text) {
    out.append(",\"").append(name).append("\":");
    http::append_json_string(out, text);
}

void add_time(std::string& out, std::string_view name, std::optional<std::int64_t> unix_ms) {
    if (!unix_ms) {
        out.append(",\"").append(name).append("\":null");
        return;
    }
    constexpr auto last = std::chrono::floor<std::chrono::milliseconds>(base::wall_time::duration::max());
    const auto at = std::clamp(std::chrono::milliseconds(*unix_ms), std::chrono::milliseconds(0), last);
    add_text(out, name, base::utc_timestamp(base::wall_time(at)));
}

/// The members of a key's object, without its braces.
std::string members_of(const api_key_row& row) {
    std::string out = "\"keyId\":";
    http::append_json_string(out, row.id);
    add_text(out, "name", row.name);
    add_text(out, "start", row.start);
    out.append(",\"rateLimit\":").append(std::to_string(row.rate_limit));
    out.append(auth::spend_limit_members(row.spend));
    out.append(",\"enabled\":").append(row.enabled ? "true" : "false");
    add_time(out, "createdAt", row.created_ms);
    add_time(out, "expiresAt", row.expires_ms);
    add_time(out, "lastUsedAt", row.last_used_ms);
    return out;
}

std::string members_of(const auth::issued_key& made) {
    std::string out = "\"keyId\":";
    http::append_json_string(out, made.row.id);
    add_text(out, "key", made.key.reveal());
    add_text(out, "name", made.row.name);
    return out;
}

std::string successful(std::string_view members) {
    std::string out = "{\"success\":true,\"data\":{";
    out.append(members).append("}}");
    return out;
}

/// `tokenLimit`, `concurrency` and `budget`, each null for no limit. What is not given is not changed, also of a
/// budget.
result<void> read_limits(const json_fields& fields, storage::api_key_patch& patch) {
    static constexpr std::array<std::string_view, 2> periods{"day", "month"};
    const auto tokens = fields.limit("tokenLimit", auth::max_tokens_per_minute);
    if (!tokens) {
        return tokens.error();
    }
    const auto concurrency = fields.limit("concurrency", auth::max_concurrency);
    if (!concurrency) {
        return concurrency.error();
    }
    const auto budget = fields.object("budget", periods);
    if (!budget) {
        return budget.error();
    }
    patch.tokens_per_minute = *tokens;
    patch.concurrency = *concurrency;
    if (*budget) {
        std::array<std::optional<std::int64_t>, 2> amounts;
        for (std::size_t i = 0; i < periods.size(); ++i) {
            if (fields.is_null("budget") || (*budget)->is_null(periods[i])) {
                amounts[i] = 0;
            } else if ((*budget)->has(periods[i])) {
                amounts[i] = auth::parse_budget_usd((*budget)->raw(periods[i]));
                if (!amounts[i]) {
                    return (*budget)->refuse(
                        periods[i],
                        "a number of USD above 0 and up to 1000000, with at most 8 decimals and no "
                        "exponent, or null for no limit");
                }
            }
        }
        patch.budget_day_nano_usd = amounts[0];
        patch.budget_month_nano_usd = amounts[1];
    }
    return {};
}

}  // namespace

result<api_key_row> read_new_key(std::string_view body, const base::limits_config& limits, std::string owner) {
    static constexpr std::array<std::string_view, 5> allowed{"name", "rateLimit", "tokenLimit", "concurrency",
                                                             "budget"};
    const auto fields = json_fields::parse(body, allowed);
    if (!fields) {
        return fields.error();
    }
    auto name = fields->required_text("name", 1, most_key_name);
    if (!name) {
        return name.error();
    }
    const auto rate = fields->number("rateLimit", 1, limits.max_rate_limit);
    if (!rate) {
        return rate.error();
    }
    storage::api_key_patch further;
    if (auto read = read_limits(*fields, further); !read) {
        return std::move(read).error();
    }
    api_key_row row;
    row.name = std::move(*name);
    row.owner_id = std::move(owner);
    row.rate_limit = rate->value_or(limits.default_rate_limit);
    static_cast<void>(further.apply_to(row));
    return row;
}

result<storage::api_key_patch> read_key_patch(std::string_view body, const base::limits_config& limits) {
    static constexpr std::array<std::string_view, 6> allowed{"name",        "rateLimit", "tokenLimit",
                                                             "concurrency", "budget",    "enabled"};
    const auto fields = json_fields::parse(body, allowed);
    if (!fields) {
        return fields.error();
    }
    if (fields->empty()) {
        return base::client_error(base::errc::bad_request,
                                  "There is nothing to change: give 'name', 'rateLimit', 'tokenLimit', 'concurrency', "
                                  "'budget' or 'enabled'.");
    }
    auto name = fields->text("name", 1, most_key_name);
    if (!name) {
        return name.error();
    }
    const auto rate = fields->number("rateLimit", 1, limits.max_rate_limit);
    if (!rate) {
        return rate.error();
    }
    const auto enabled = fields->boolean("enabled");
    if (!enabled) {
        return enabled.error();
    }
    storage::api_key_patch patch{.name = std::move(*name), .rate_limit = *rate, .enabled = *enabled};
    if (auto read = read_limits(*fields, patch); !read) {
        return std::move(read).error();
    }
    return patch;
}

result<std::chrono::seconds> read_grace(std::string_view body) {
    static constexpr std::array<std::string_view, 1> allowed{"graceSeconds"};
    const auto fields = json_fields::parse(body, allowed);
    if (!fields) {
        return fields.error();
    }
    const auto grace = fields->number("graceSeconds", 0, most_grace);
    if (!grace) {
        return grace.error();
    }
    return *grace ? std::chrono::seconds(**grace) : default_grace;
}

std::string render_new_key(const auth::issued_key& made) {
    return successful(members_of(made));
}

std::string render_rotated_key(const auth::rotated_key& rotated) {
    std::string out = members_of(rotated.made) + ",\"previous\":{\"keyId\":";
    http::append_json_string(out, rotated.old.id);
    add_time(out, "expiresAt", rotated.old.deleted_ms ? rotated.old.deleted_ms : rotated.old.expires_ms);
    return successful(out + "}");
}

std::string render_key(const api_key_row& row) {
    return successful(members_of(row));
}

std::string render_keys(const std::vector<api_key_row>& rows, const key_usage& used) {
    std::string out = "{\"success\":true,\"data\":[";
    for (const api_key_row& row : rows) {
        const auto found = used.find(row.id);
        const storage::usage_sums sums = found == used.end() ? storage::usage_sums() : found->second;
        out.append(out.back() == '[' ? "{" : ",{").append(members_of(row));
        out.append(",\"requests\":").append(std::to_string(sums.requests));
        out.append(",\"tokens\":").append(std::to_string(sums.tokens())).append("}");
    }
    return out + "]}";
}

}  // namespace concurred::pipeline
