#include "gateway/pipeline/usage_ledger.hpp"

#include "auth/limit_headers.hpp"
#include "auth/spend.hpp"
#include "gateway/pipeline/output_bound.hpp"
#include "upstream/catalogue.hpp"
#include "upstream/cost.hpp"

#include <chrono>
#include <optional>

namespace concurred::pipeline {

namespace {

using base::end_reason;
using base::errc;

// Without figures of the provider: a token is about four octets of text.
constexpr std::uint64_t octets_per_token = 4;
// The longest answer of a model of which that is not known.
constexpr std::uint64_t output_without_ceiling = 4'096;

std::uint32_t millis_between(base::steady_time from, base::steady_time to) noexcept {
    if (from == base::steady_time() || to <= from) {
        return 0;
    }
    return static_cast<std::uint32_t>(std::chrono::duration_cast<std::chrono::milliseconds>(to - from).count());
}

std::uint64_t prompt_estimate(std::string_view body) noexcept {
    return (body.size() + octets_per_token - 1) / octets_per_token;
}

/// What a request can use at most, as far as is known before.
auth::spend_request most_use(const http::exchange& x, std::string_view body, std::uint32_t longest_answer) {
    const std::optional<std::uint64_t> bound = requested_output(body);
    auth::spend_request wanted;
    wanted.prompt_tokens = prompt_estimate(body);
    wanted.output_tokens = bound ? *bound : longest_answer != 0 ? longest_answer : output_without_ceiling;
    wanted.output_is_guess = !bound;
    wanted.priced = x.price != nullptr;
    if (x.price != nullptr) {
        wanted.prompt_nano_usd = upstream::cost_nano_usd({.prompt = wanted.prompt_tokens}, *x.price);
        wanted.output_nano_usd = upstream::cost_nano_usd({.completion = wanted.output_tokens}, *x.price);
    }
    return wanted;
}

end_reason end_of(const base::error& e) noexcept {
    switch (e.code) {
        case errc::client_gone:
            return end_reason::client_closed;
        case errc::upstream_timeout:
            return end_reason::timeout;
        case errc::upstream_error:
        case errc::upstream_status:
        case errc::upstream_authentication_failed:
            return end_reason::upstream_error;
        default:
            return end_reason::rejected;
    }
}

}  // namespace

void usage_ledger::admit(http::exchange& x) noexcept {
    base::usage_record& u = x.usage;
    u.admitted_ms = base::unix_millis(x.arrived_at);
    u.day = base::unix_day(x.arrived_at);
    u.endpoint = x.route;
    u.price_version = upstream::price_version;
    x.admitted = sink_.admit();
}

/// The answer to what was decided, told to the client. Only the first decision goes into the head.
base::result<void> usage_ledger::held(http::exchange& x, const auth::spend_request& wanted,
                                      const auth::spend_decision& decision) const {
    if (!x.dispatched) {
        x.headers.append(auth::spend_headers(decision).view());
    }
    if (!decision.allowed()) {
        return auth::spend_error(decision);
    }
    x.usage.reserved_tokens = wanted.prompt_tokens + wanted.output_tokens;
    return {};
}

base::task<base::result<void>> usage_ledger::reserve(http::exchange& x, std::string_view body,
                                                     std::uint32_t longest_answer) {
    const auth::spend_request wanted = most_use(x, body, longest_answer);
    const auth::shared_spend::question asked{
        .key_id = x.usage.key_id.view(), .id = x.usage.id, .state = *x.spend, .wanted = wanted, .wall = x.arrived_at};
    const auth::shared_spend::outcome outcome = co_await shared_->take(x.owed, asked, x.hold);
    if (outcome.requests) {
        x.owed = nullptr;
        x.headers.append(auth::limit_headers(*outcome.requests, x.arrived_at).view());
        if (!outcome.requests->allowed) {
            co_return auth::limit_error(*outcome.requests);
        }
    }
    co_return held(x, wanted, outcome.spend);
}

base::result<void> usage_ledger::about_to_ask(http::exchange& x, std::string_view body, std::uint32_t longest_answer) {
    base::usage_record& u = x.usage;
    if (x.spend != nullptr && shared_ == nullptr) {
        const auto now = std::chrono::steady_clock::now();
        auth::settle(x.hold, 0, 0, now);  // of the provider that was asked before
        const auth::spend_request wanted = most_use(x, body, longest_answer);
        const auth::spend_decision decision = auth::reserve(*x.spend, wanted, x.arrived_at, now, x.hold);
        if (auto ok = held(x, wanted, decision); !ok) {
            return ok;
        }
    }
    if (!x.admitted && !u.byok) {
        base::error e =
            base::gateway_error(errc::service_unavailable, "Usage cannot be recorded at the moment. Try again soon.");
        e.retry_after = std::chrono::seconds(1);
        return e;
    }
    if (!x.admitted) {
        lost_ += x.dispatched ? 0 : 1;
        x.dispatched = true;
        return {};
    }
    // As it is booked if the process dies now: what was asked is paid, and of an answer nobody knows.
    u.end = end_reason::aborted;
    u.estimated = true;
    u.tokens = {.prompt = prompt_estimate(body)};
    u.priced = x.price != nullptr;
    u.cost_nano_usd = u.priced ? upstream::cost_nano_usd(u.tokens, *x.price) : 0;
    sink_.dispatch(u, x.dispatched);
    x.dispatched = true;
    u.estimated = false;
    u.tokens = {};
    u.priced = false;
    u.cost_nano_usd = 0;
    return {};
}

void usage_ledger::failed(http::exchange& x, const base::error& e) noexcept {
    x.usage.end = end_of(e);
    x.usage.status = static_cast<std::uint16_t>(base::status_of(e));
    settle(x);
}

void usage_ledger::relay_ended(http::exchange& x, const upstream::relay_report& report) noexcept {
    base::usage_record& u = x.usage;
    u.end = report.end;
    u.upstream_request_id = report.upstream_request_id;
    if (report.usage) {
        u.tokens = *report.usage;
    } else {
        u.estimated = true;
        u.tokens =
            report.input.value_or(base::token_counts{.prompt = x.head.content_length.value_or(0) / octets_per_token});
        u.tokens.completion = (report.output_octets + octets_per_token - 1) / octets_per_token;
    }
    if (report.cost_nano_usd) {  // the provider's own bill is better than any price list
        u.priced = true;
        u.cost_nano_usd = *report.cost_nano_usd;
    } else if (x.price != nullptr) {
        u.priced = true;
        u.cost_nano_usd = upstream::cost_nano_usd(u.tokens, *x.price, report.long_cache_writes);
    }
    settle(x);
}

void usage_ledger::hedge_lost(http::exchange& x) noexcept {
    base::usage_record u = x.usage;
    u.id.back() = static_cast<std::uint8_t>(~u.id.back());  // another id, and as unique
    u.endpoint = "hedge";
    u.end = end_reason::aborted;
    u.status = 0;
    u.estimated = true;
    u.tokens = {.prompt = x.head.content_length.value_or(0) / octets_per_token};
    u.latency_ms = millis_between(x.times.arrived, std::chrono::steady_clock::now());
    if (x.price != nullptr) {
        u.priced = true;
        u.cost_nano_usd = upstream::cost_nano_usd(u.tokens, *x.price);
    }
    if (sink_.admit()) {
        sink_.settle(u);
    } else {
        ++lost_;
    }
}

void usage_ledger::closed(http::exchange& x) noexcept {
    if (x.admitted || x.hold.state != nullptr) {
        x.usage.end =
            x.abort.reason() == http::abort_reason::client_gone ? end_reason::client_closed : end_reason::aborted;
        settle(x);
    }
}

void usage_ledger::settle(http::exchange& x) noexcept {
    const auto now = std::chrono::steady_clock::now();
    if (x.hold.placed) {
        shared_->settle(x.usage.key_id.view(), x.usage.id, x.hold, x.usage.tokens.total(), x.usage.cost_nano_usd);
    }
    auth::settle(x.hold, x.usage.tokens.total(), x.usage.cost_nano_usd, now);
    if (!x.admitted) {
        return;
    }
    x.admitted = false;
    x.usage.latency_ms = millis_between(x.times.arrived, now);
    x.usage.first_token_ms = millis_between(x.times.arrived, x.times.first_token);
    sink_.settle(x.usage);
}

}  // namespace concurred::pipeline
