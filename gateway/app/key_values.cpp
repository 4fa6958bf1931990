#include "gateway/app/key_values.hpp"

#include "auth/key_limits.hpp"
#include "auth/spend.hpp"
#include "gateway/base/log_text.hpp"
#include "gateway/base/usage_record.hpp"
#include "gateway/base/utc_text.hpp"
#include "gateway/base/utf8.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

namespace concurred::app {

namespace {

using base::client_error;
using base::errc;
using std::chrono::milliseconds;

constexpr milliseconds longest_life = std::chrono::days{36'525};

base::error refuse(std::string message) {
    return client_error(errc::bad_request, std::move(message));
}

template <class Integer>
std::optional<Integer> whole_number(std::string_view text) {
    Integer value = 0;
    const char* const end = text.data() + text.size();
    const auto parsed = std::from_chars(text.data(), end, value);
    return parsed.ec == std::errc() && parsed.ptr == end ? std::optional(value) : std::nullopt;
}

bool is_plain_text(std::string_view text) {
    while (!text.empty()) {
        const base::utf8_character next = base::first_character(text);
        if (!next.valid || base::is_unsafe_in_log(next.value)) {
            return false;
        }
        text.remove_prefix(next.length);
    }
    return true;
}

/// "30d" and the like; nullopt if it is none.
std::optional<milliseconds> life_time(std::string_view text) {
    const auto number = whole_number<std::uint32_t>(text.substr(0, text.empty() ? 0 : text.size() - 1));
    if (!number) {
        return std::nullopt;
    }
    switch (text.back()) {
        case 'd':
            return std::chrono::days{*number};
        case 'h':
            return std::chrono::hours{*number};
        case 'm':
            return std::chrono::minutes{*number};
        default:
            return std::nullopt;
    }
}

}  // namespace

base::result<std::string> parse_key_name(std::string_view text) {
    if (text.empty() || text.size() > max_key_name) {
        return refuse("a key's name must have 1 to " + std::to_string(max_key_name) + " bytes, not " +
                      std::to_string(text.size()));
    }
    if (!is_plain_text(text)) {
        return refuse("a key's name must be UTF-8 text without control characters");
    }
    return std::string(text);
}

base::result<std::string> parse_owner(std::string_view text) {
    const bool visible = std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7F; });
    if (text.empty() || text.size() > base::max_id_length || !visible) {
        return refuse("an owner must be 1 to " + std::to_string(base::max_id_length) +
                      " visible ASCII characters without spaces");
    }
    return std::string(text);
}

base::result<std::uint32_t> parse_rate_limit(std::string_view text, std::uint32_t most) {
    const auto number = whole_number<std::uint32_t>(text);
    if (!number || *number < 1 || *number > most) {
        return refuse("a rate limit must be a whole number from 1 to " + std::to_string(most) +
                      " (requests per 60 seconds), not '" + std::string(text) + "'");
    }
    return *number;
}

base::result<std::uint64_t> parse_token_limit(std::string_view text) {
    const auto number = text == "none" ? 0 : whole_number<std::uint64_t>(text);
    if (!number || (*number < 1 && text != "none") || *number > auth::max_tokens_per_minute) {
        return refuse("a token limit must be a whole number from 1 to " + std::to_string(auth::max_tokens_per_minute) +
                      " (tokens per 60 seconds), or none, not '" + std::string(text) + "'");
    }
    return *number;
}

base::result<std::uint32_t> parse_concurrency(std::string_view text) {
    const auto number = text == "none" ? 0 : whole_number<std::uint32_t>(text);
    if (!number || (*number < 1 && text != "none") || *number > auth::max_concurrency) {
        return refuse("a concurrency must be a whole number from 1 to " + std::to_string(auth::max_concurrency) +
                      " (requests under way at a time), or none, not '" + std::string(text) + "'");
    }
    return *number;
}

base::result<std::int64_t> parse_budget(std::string_view text) {
    if (text == "none") {
        return 0;
    }
    if (const auto nano = auth::parse_budget_usd(text)) {
        return *nano;
    }
    return refuse(
        "a budget must be an amount of USD like 25 or 0.5, up to 1000000, with at most 8 decimals, or none, not '" +
        std::string(text) + "'");
}

base::result<std::int64_t> parse_expiry(std::string_view text, base::wall_time now) {
    const std::int64_t now_ms = base::unix_millis(now);
    std::int64_t at_ms = 0;
    if (const auto day = base::parse_utc_date(text)) {
        at_ms = milliseconds{std::chrono::days{*day}}.count();
    } else if (const auto life = life_time(text)) {
        at_ms = now_ms + life->count();
    } else {
        return refuse("an expiry must be a time from now on like 30d, 12h or 90m, or a date like 2027-01-01, not '" +
                      std::string(text) + "'");
    }
    if (at_ms <= now_ms || at_ms - now_ms > longest_life.count()) {
        return refuse("an expiry must be in the future and at most 100 years away, not '" + std::string(text) + "'");
    }
    return at_ms;
}

base::result<std::chrono::milliseconds> parse_grace(std::string_view text) {
    constexpr milliseconds longest = std::chrono::days{30};
    const auto grace = text == "0" ? std::optional(milliseconds{0}) : life_time(text);
    if (!grace || *grace > longest) {
        return refuse("a grace must be 0 or a time like 30d, 12h or 90m, at most 30 days, not '" + std::string(text) +
                      "'");
    }
    return *grace;
}

}  // namespace concurred::app
