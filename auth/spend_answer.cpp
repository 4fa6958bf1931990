#include "auth/spend.hpp"

#include <algorithm>
#include <string>

namespace concurred::auth {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

std::int64_t seconds_of(milliseconds wait) noexcept {
    return std::max<std::int64_t>(std::chrono::ceil<seconds>(wait).count(), 1);
}

/// As Go's time.Duration prints itself.
template <class Text>
void append_duration(Text& out, milliseconds d) {
    const std::int64_t ms = d.count();
    if (ms > 0 && ms < 1'000) {
        out.append(ms).append("ms");
        return;
    }
    if (ms >= 60'000) {
        out.append(ms / 60'000).append("m");
    }
    out.append(ms / 1'000 % 60);
    if (const std::int64_t rest = ms % 1'000; rest != 0) {
        out.append(".").append(rest / 100).append(rest / 10 % 10).append(rest % 10);
    }
    out.append("s");
}

std::string usd(std::uint64_t nano) {
    std::string text = std::to_string(nano % 1'000'000'000);
    text.insert(0, 9 - text.size(), '0');
    text.erase(std::max<std::size_t>(text.find_last_not_of('0') + 1, 1));
    return std::to_string(nano / 1'000'000'000) + "." + text;
}

struct wording {
    const char* name;  // of the limit, in `details`
    const char* what;  // begins the message
    bool money;
};

wording wording_of(spend_limit which) noexcept {
    switch (which) {
        case spend_limit::concurrency:
            return {"concurrency", "Too many requests of this key are under way", false};
        case spend_limit::tokens:
            return {"tokens", "This key's tokens per minute are used up", false};
        case spend_limit::day:
            return {"budget.day", "This key's budget of the day is used up", true};
        case spend_limit::month:
            return {"budget.month", "This key's budget of the month is used up", true};
        default:
            return {"", "", false};
    }
}

}  // namespace

base::text_buffer<256> spend_headers(const spend_decision& d) noexcept {
    base::text_buffer<256> out;
    if (d.tokens_limit != 0) {
        out.append("x-ratelimit-limit-tokens: ").append(d.tokens_limit);
        out.append("\r\nx-ratelimit-remaining-tokens: ").append(d.tokens_left);
        out.append("\r\nx-ratelimit-reset-tokens: ");
        append_duration(out, d.tokens_full_in);
        out.append("\r\n");
    }
    if (!d.allowed() && d.retry_after.count() > 0) {
        out.append("Retry-After: ").append(seconds_of(d.retry_after));
        out.append("\r\nretry-after-ms: ").append(std::max<std::int64_t>(d.retry_after.count(), 1)).append("\r\n");
    }
    return out;
}

base::error spend_error(const spend_decision& d) {
    if (d.denied_by == spend_limit::too_large) {
        return base::client_error(base::errc::bad_request, "The prompt alone is more than this key's limit of " +
                                                               std::to_string(d.limit) +
                                                               " tokens per minute: it can never be sent with it.");
    }
    if (d.denied_by == spend_limit::unpriced) {
        return base::client_error(base::errc::bad_request,
                                  "This key has a budget, and the model has no price that could be held against it. "
                                  "Use a model with a price, or a key without a budget.",
                                  "model");
    }
    const wording words = wording_of(d.denied_by);
    const std::string limit = words.money ? usd(d.limit) : std::to_string(d.limit);
    const std::string left = words.money ? usd(d.left) : std::to_string(d.left);
    const std::string unit = words.money ? " USD" : d.denied_by == spend_limit::tokens ? " tokens" : "";
    base::error e = base::client_error(base::errc::rate_limit_exceeded,
                                       std::string(words.what) + ": the limit is " + limit + unit + ", " + left + unit +
                                           " are left, and the request may need more. Try again in " +
                                           std::to_string(seconds_of(d.retry_after)) + " s.");
    e.details = std::string("{\"limitType\":\"") + words.name + "\",\"limit\":" + limit + ",\"remaining\":" + left +
                ",\"retryAfter\":" + std::to_string(seconds_of(d.retry_after)) +
                ",\"retryAfterMs\":" + std::to_string(std::max<std::int64_t>(d.retry_after.count(), 1)) + "}";
    e.retry_after = std::max(d.retry_after, milliseconds(1));
    return e;
}

}  // namespace concurred::auth
