#include "auth/key_limits.hpp"

#include "auth/spend.hpp"
#include "storage/usage_report_json.hpp"

#include <charconv>

namespace concurred::auth {

namespace {

using http::json_kind;

constexpr std::int64_t nano_per_usd = 1'000'000'000;
constexpr std::size_t most_decimals = 8;

/// A text of digits alone.
std::optional<std::int64_t> digits(std::string_view text) noexcept {
    std::int64_t value = 0;
    const char* const end = text.data() + text.size();
    const auto [behind, failure] = std::from_chars(text.data(), end, value);
    return failure == std::errc() && behind == end && !text.starts_with('-') ? std::optional(value) : std::nullopt;
}

template <class Number>
void read_number(const json_members& fields, std::string_view name, std::int64_t most, Number& into) {
    const auto value = fields.integer(name);
    if (value && *value >= 1 && *value <= most) {
        into = static_cast<Number>(*value);
    }
}

void read_amount(const json_members& fields, std::string_view name, std::int64_t& into) {
    const http::json_member* const found = fields.find(name);
    if (found != nullptr && found->kind == json_kind::number) {
        into = parse_budget_usd(found->value).value_or(0);
    }
}

}  // namespace

std::string spend_limit_members(const storage::key_spend_limits& spend) {
    std::string out;
    if (spend.tokens_per_minute != 0) {
        out.append(",\"tokenLimit\":").append(std::to_string(spend.tokens_per_minute));
    }
    if (spend.concurrency != 0) {
        out.append(",\"concurrency\":").append(std::to_string(spend.concurrency));
    }
    if (spend.budget_day_nano_usd == 0 && spend.budget_month_nano_usd == 0) {
        return out;
    }
    out.append(",\"budget\":{");
    if (spend.budget_day_nano_usd != 0) {
        storage::append_usd(out.append("\"day\":"), spend.budget_day_nano_usd);
    }
    if (spend.budget_month_nano_usd != 0) {
        out.append(spend.budget_day_nano_usd != 0 ? "," : "");
        storage::append_usd(out.append("\"month\":"), spend.budget_month_nano_usd);
    }
    out.push_back('}');
    return out;
}

storage::key_spend_limits read_spend_limits(const json_members& fields) {
    storage::key_spend_limits spend;
    read_number(fields, "tokenLimit", max_tokens_per_minute, spend.tokens_per_minute);
    read_number(fields, "concurrency", max_concurrency, spend.concurrency);
    if (const auto budget = fields.object("budget")) {
        read_amount(*budget, "day", spend.budget_day_nano_usd);
        read_amount(*budget, "month", spend.budget_month_nano_usd);
    }
    return spend;
}

std::optional<std::int64_t> parse_budget_usd(std::string_view text) noexcept {
    const std::size_t point = text.find('.');
    const auto whole = digits(text.substr(0, point));
    const std::string_view decimals = point == std::string_view::npos ? "0" : text.substr(point + 1);
    const auto fraction = digits(decimals);
    if (!whole || !fraction || decimals.size() > most_decimals || *whole > max_budget_nano_usd / nano_per_usd) {
        return std::nullopt;
    }
    std::int64_t unit = nano_per_usd;
    for (std::size_t i = 0; i < decimals.size(); ++i) {
        unit /= 10;
    }
    const std::int64_t nano = *whole * nano_per_usd + *fraction * unit;
    return nano < 1 || nano > max_budget_nano_usd ? std::nullopt : std::optional(nano);
}

}  // namespace concurred::auth
