#include "gateway/pipeline/usage.hpp"

#include "gateway/base/utc_text.hpp"
#include "storage/call.hpp"
#include "storage/usage_report_csv.hpp"
#include "storage/usage_report_json.hpp"

#include <algorithm>
#include <array>
#include <bitset>
#include <string>

namespace concurred::pipeline {

namespace {

using base::client_error;
using base::errc;
using base::result;

constexpr std::int32_t default_days = 30;
constexpr std::int32_t most_days = 366;

base::error bad_parameter(std::string_view name, std::string_view allowed) {
    return client_error(errc::bad_request,
                        "The query parameter '" + std::string(name) + "' must be " + std::string(allowed) + ".",
                        std::string(name));
}

result<void> read_day(std::string_view name, std::string_view value, std::int32_t& day) {
    const auto parsed = base::parse_utc_date(value);
    if (!parsed) {
        return bad_parameter(name, "a date as YYYY-MM-DD");
    }
    day = *parsed;
    return {};
}

// Of two values for one name others may take the other one.
constexpr std::array<std::string_view, 5> names{"from", "to", "interval", "groupBy", "keyId"};

result<void> check_name(std::string_view name, std::bitset<names.size()>& given) {
    const auto found = std::find(names.begin(), names.end(), name);
    if (found == names.end()) {
        return client_error(errc::bad_request,
                            "Unknown query parameter. Allowed are 'from', 'to', 'interval', 'groupBy' and 'keyId'.");
    }
    const auto number = static_cast<std::size_t>(found - names.begin());
    if (given[number]) {
        return bad_parameter(name, "given once");
    }
    given.set(number);
    return {};
}

// `name` is one of `names`.
result<void> read_parameter(std::string_view name, std::string_view value, storage::usage_query& q) {
    using storage::usage_group;
    if (name == "from") {
        return read_day(name, value, q.from_day);
    }
    if (name == "to") {
        return read_day(name, value, q.to_day);
    }
    if (name == "interval") {
        if (value != "day") {
            return bad_parameter(name, "'day'");
        }
        q.interval = storage::usage_interval::day;
        return {};
    }
    if (name == "groupBy") {
        if (value != "model" && value != "key" && value != "provider") {
            return bad_parameter(name, "'model', 'key' or 'provider'");
        }
        q.group = value == "model" ? usage_group::model : value == "key" ? usage_group::key : usage_group::provider;
        return {};
    }
    if (value.empty() || value.size() > base::max_id_length ||
        value.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") !=
            std::string_view::npos) {
        return bad_parameter(name, "the id of a key, e.g. key_abc123");
    }
    q.key_id = std::string(value);
    return {};
}

}  // namespace

result<storage::usage_query> parse_usage_query(std::string_view query, std::int32_t today) {
    storage::usage_query q;
    q.to_day = today;
    std::bitset<names.size()> given;
    while (!query.empty()) {
        const auto end = query.find('&');
        const auto pair = query.substr(0, end);
        query = end == std::string_view::npos ? std::string_view() : query.substr(end + 1);
        const auto equals = pair.find('=');
        const auto value = equals == std::string_view::npos ? std::string_view() : pair.substr(equals + 1);
        const auto name = pair.substr(0, equals);
        if (auto ok = check_name(name, given); !ok) {
            return ok.error();
        }
        if (auto ok = read_parameter(name, value, q); !ok) {
            return ok.error();
        }
    }
    if (!given[0]) {
        q.from_day = q.to_day - default_days + 1;
    }
    if (q.from_day > q.to_day) {
        return client_error(errc::bad_request, "'from' must not be after 'to'.", "from");
    }
    if (q.to_day - q.from_day >= most_days) {
        return client_error(errc::bad_request, "'from' and 'to' must not be more than 366 days apart.", "from");
    }
    return q;
}

bool wants_csv(std::string_view accept) noexcept {
    while (!accept.empty()) {
        const auto end = accept.find(',');
        auto type = accept.substr(0, end);
        accept = end == std::string_view::npos ? std::string_view() : accept.substr(end + 1);
        type = type.substr(0, type.find(';'));
        type.remove_prefix(std::min(type.find_first_not_of(" \t"), type.size()));
        type = type.substr(0, type.find_last_not_of(" \t") + 1);
        if (http::iequals(type, "text/csv")) {
            return true;
        }
        if (http::iequals(type, "application/json") || type == "*/*") {
            return false;
        }
    }
    return false;
}

base::task<result<http::response>> usage::handle(http::exchange& x) {
    result<storage::usage_query> query = parse_usage_query(x.head.query, base::unix_day(x.arrived_at));
    if (!query) {
        co_return query.error();
    }
    query->owner = std::string(x.usage.owner.view());
    auto read = [this, q = std::move(*query)] { return store_.query(q); };
    const auto report = co_await storage::call(database_, shard_, std::move(read));
    if (!report || !*report) {
        base::error e =
            base::gateway_error(errc::service_unavailable, "Usage cannot be read at the moment. Try again soon.");
        e.retry_after = std::chrono::seconds(1);
        co_return e;
    }
    x.headers.field("Cache-Control", "no-store");
    http::response r;
    if (wants_csv(x.head.find("accept"))) {
        r.content_type = "text/csv; charset=utf-8; header=present";
        r.content = storage::render_usage_csv(**report);
    } else {
        r.content = storage::render_usage_report(**report);
    }
    co_return std::move(r);
}

}  // namespace concurred::pipeline
