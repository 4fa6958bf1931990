#include "gateway/pipeline/observe.hpp"

#include "gateway/base/address_text.hpp"
#include "gateway/http/characters.hpp"
#include "gateway/http/error_body.hpp"

#include <chrono>
#include <exception>

namespace concurred::pipeline {

namespace {

using base::errc;
using base::steady_time;
using std::chrono::microseconds;
using std::chrono::nanoseconds;
using clock = std::chrono::steady_clock;

constexpr std::size_t longest_client_id = 128;

std::optional<nanoseconds> between(steady_time from, steady_time to) noexcept {
    if (from == steady_time() || to == steady_time() || to < from) {
        return std::nullopt;
    }
    return to - from;
}

std::optional<microseconds> in_micros(std::optional<nanoseconds> time) noexcept {
    return time ? std::optional(std::chrono::duration_cast<microseconds>(*time)) : std::nullopt;
}

// A client's own id is kept in the log, beside ours, when it cannot do harm there.
std::string_view client_request_id(const http::request_head& head) noexcept {
    const auto id = head.find("x-request-id");
    const bool safe = id.size() <= longest_client_id && http::all_octets(id, http::octet_host);
    return safe ? id : std::string_view();
}

std::chrono::seconds whole_seconds(std::chrono::milliseconds time) noexcept {
    return std::chrono::ceil<std::chrono::seconds>(time);
}

}  // namespace

void observe::begin(http::exchange& x) noexcept {
    x.arrived_at = std::chrono::system_clock::now();
    x.times.arrived = clock::now();
    x.settings = &around_.settings;
    const base::event_id id = crypto::make_event_id(base::unix_millis(x.arrived_at), random_);
    std::array<char, crypto::event_id_chars> text;
    crypto::to_chars(id, text);
    x.usage.id = id;
    x.request_id = std::string_view(text.data(), text.size());
    x.headers.field("X-Request-ID", x.request_id.view());
    ++around_.metrics.active_requests;
}

base::task<http::response> observe::respond(http::exchange& x) {
    base::result<http::response> r = base::gateway_error(errc::internal, {});
    try {
        auto answered = co_await next_.handle(x);
        r = std::move(answered);
    } catch (const std::exception& e) {
        around_.log.error("a request ended in an exception",
                          {{"what", std::string_view(e.what())}, {"request_id", x.request_id.view()}});
    }
    http::response out = r ? std::move(*r) : render(x, r.error());
    if (x.form != http::api_form::openai) {
        x.headers.field("request-id", x.request_id.view());  // where Anthropic's clients look for it
    }
    x.headers.field("Server-Timing", server_timing(x.times, clock::now()).view());
    co_return out;
}

http::response observe::refuse(http::exchange& x, const base::error& e) {
    http::response r = render(x, e);
    r.close = true;
    return r;
}

http::response observe::render(http::exchange& x, const base::error& e) {
    count_refusal(e);
    report(x, e);
    if (e.retry_after.count() > 0 && x.headers.view().find("Retry-After:") == std::string_view::npos) {
        x.headers.append("Retry-After: ").append(whole_seconds(e.retry_after).count()).append("\r\n");
        x.headers.append("retry-after-ms: ").append(e.retry_after.count()).append("\r\n");
    }
    http::response r;
    r.status = base::status_of(e);
    r.content = http::render_error(e, x.form, x.request_id.view());
    return r;
}

void observe::count_refusal(const base::error& e) {
    switch (e.code) {
        case errc::unauthorized:
            around_.metrics.auth_failure("missing");
            break;
        case errc::invalid_api_key:
            around_.metrics.auth_failure("invalid");
            break;
        case errc::rate_limit_exceeded:
            around_.metrics.rate_limited("key");
            break;
        default:
            break;
    }
}

void observe::report(const http::exchange& x, const base::error& e) {
    if (e.source == base::error_source::client) {
        return;
    }
    const auto level = e.code == errc::internal ? base::log_level::error : base::log_level::warn;
    around_.log.log(level, "a request failed",
                    {{"code", base::traits_of(e.code).code},
                     {"detail", base::text_of(e)},
                     {"cause", e.cause ? std::string_view(e.cause.message()) : std::string_view()},
                     {"provider", x.usage.provider.view()},
                     {"request_id", x.request_id.view()}});
}

void observe::end(http::exchange& x, const http::transfer& t) noexcept {
    around_.ledger.closed(x);
    --around_.metrics.active_requests;
    const base::usage_record& u = x.usage;
    const bool gone = x.abort.reason() == http::abort_reason::client_gone || !t.complete;
    if (gone) {
        around_.metrics.client_aborted(x.times.first_token != steady_time() ? "stream"
                                       : x.times.connected != steady_time() ? "wait"
                                                                            : "request");
    }
    const bool relayed = x.times.first_byte != steady_time();
    base::end_reason how = gone ? base::end_reason::client_closed : base::end_reason::completed;
    if (!u.endpoint.empty()) {
        how = gone && u.end == base::end_reason::completed ? base::end_reason::client_closed : u.end;
    } else if (t.status >= 400 && !gone) {
        how = base::end_reason::rejected;
    }
    const auto duration = t.ended - x.times.arrived;

    base::request_sample sample;
    sample.route = x.route.empty() ? std::string_view("other") : x.route;
    sample.provider = u.provider.view();
    sample.model = u.model.empty() || x.price != nullptr ? u.model.view() : std::string_view("other");
    sample.status = t.status;
    sample.end = how;
    sample.stream = u.stream;
    sample.unpriced = relayed && !u.priced;
    sample.duration = duration;
    sample.first_token = between(x.times.arrived, x.times.first_token);
    sample.request_overhead = between(x.times.arrived, x.times.routed);
    sample.response_overhead = u.stream ? std::nullopt : between(x.times.first_byte, t.ended);
    sample.tokens = u.tokens;
    sample.cost_nano_usd = u.cost_nano_usd;
    around_.metrics.request_ended(sample);
    if (around_.access.enabled()) {
        log_access(x, t, sample);
    }
}

void observe::log_access(const http::exchange& x, const http::transfer& t, const base::request_sample& sample) {
    const base::usage_record& u = x.usage;
    const bool relayed = x.times.first_byte != steady_time();
    const auto upstream = between(x.times.routed, x.times.first_byte);
    const base::address_text address(x.client.bytes);
    base::access_entry entry;
    entry.ts = x.arrived_at;
    entry.request_id = x.request_id.view();
    entry.client_request_id = client_request_id(x.head);
    entry.client_address = address.view();
    entry.method = x.head.method_text;
    entry.route = sample.route;
    entry.status = t.status;
    entry.bytes_in = t.bytes_in;
    entry.bytes_out = t.bytes_out;
    entry.duration = std::chrono::duration_cast<microseconds>(sample.duration);
    entry.first_token = in_micros(sample.first_token);
    entry.upstream = in_micros(upstream);
    entry.overhead = std::chrono::duration_cast<microseconds>(sample.request_overhead.value_or(sample.duration) +
                                                              sample.response_overhead.value_or(nanoseconds(0)));
    entry.stream = u.stream;
    entry.end_reason = sample.end;
    entry.key_id = u.key_id.view();
    entry.owner = u.owner.view();
    entry.provider = u.provider.view();
    entry.model_requested = u.model_requested.view();
    entry.model_served = u.model.view();
    entry.byok = u.byok;
    if (relayed) {
        entry.tokens = u.tokens;
    }
    if (u.priced) {
        entry.cost_nano_usd = u.cost_nano_usd;
    }
    entry.retries = x.retries;
    entry.fallback_from = x.fallback_from.view();
    entry.user_agent = x.head.find("user-agent");
    entry.upstream_request_id = u.upstream_request_id.view();
    around_.access.write(entry);
}

}  // namespace concurred::pipeline
