#include "upstream/relay.hpp"

#include "gateway/http/error_body.hpp"
#include "gateway/http/response.hpp"

#include <utility>

namespace concurred::upstream {

using base::errc;
using base::result;

base::end_reason end_reason_of(const base::error& e) noexcept {
    switch (e.code) {
        case errc::client_gone:
            return base::end_reason::client_closed;
        case errc::upstream_timeout:
            return base::end_reason::timeout;
        case errc::service_unavailable:
            return base::end_reason::drain;
        default:
            return base::end_reason::upstream_error;
    }
}

relay::relay(net::lease lease, std::string_view provider, const time_budgets& budgets, base::buffer_pool& buffers,
             base::timing_wheel& wheel, http::exchange& x, const params& p,
             std::unique_ptr<answer_translator> translator, relay_observer& observer)
    : call_(std::move(lease), provider, budgets, buffers, wheel, x),
      provider_(provider),
      exchange_(x),
      observer_(observer),
      params_(p),
      kind_(std::in_place_type<metered_answer>, p.strip_usage ? usage_events::strip : usage_events::keep),
      reader_(reader_for(std::move(translator))),
      in_band_(p.in_band) {}

answer_reader& relay::reader_for(std::unique_ptr<answer_translator> translator) {
    if (translator != nullptr) {
        return kind_.emplace<translated_answer>(std::move(translator));
    }
    return std::get<metered_answer>(kind_);
}

relay::~relay() {
    const bool gone = exchange_.abort.reason() != http::abort_reason::drain_deadline;
    report(gone ? base::end_reason::client_closed : base::end_reason::drain);
}

void relay::report(base::end_reason end) noexcept {
    if (reported_) {
        return;
    }
    reported_ = true;
    relay_report r;
    r.end = end;
    r.usage = reader_.usage();
    r.long_cache_writes = reader_.long_cache_writes();
    r.input = reader_.input_usage();
    r.cost_nano_usd = reader_.cost_nano_usd();
    r.output_octets = reader_.output_octets();
    r.upstream_request_id = call_.head().request_id();
    observer_.relay_ended(exchange_, r);
}

std::string_view relay::content_type() const noexcept {
    if (mode_ == mode::undecided || mode_ == mode::events || mode_ == mode::collected) {
        return event_stream_type;
    }
    return reader_.as_it_comes() ? call_.head().content_type() : http::json_type;
}

std::optional<std::uint64_t> relay::length() const noexcept {
    if (mode_ != mode::plain) {
        return std::nullopt;
    }
    return ended_ ? std::optional<std::uint64_t>(output_.size()) : call_.head().content_length();
}

// Something that the client can use is there, or the answer is at its end.
bool relay::begun() const noexcept {
    return ended_ || (mode_ == mode::plain && reader_.as_it_comes() && (sent_ || front_.size() >= hold_limit)) ||
           (mode_ == mode::events && reader_.content_seen());
}

base::task<result<relay::started>> relay::start(std::span<const std::string_view> request) {
    const result<void> sent = co_await call_.send(request);
    if (sent) {
        const result<started> begun = co_await wait_for_answer();
        co_return begun;
    }
    if (sent.error().code != errc::upstream_error) {
        co_return sent.error();
    }
    // It may have refused the request before it was all sent.
    const result<started> answered = co_await wait_for_answer();
    if (!answered && call_.head_complete()) {
        co_return answered;
    }
    co_return answered ? answered : result<started>(sent.error());
}

base::task<result<relay::started>> relay::resume() {
    return wait_for_answer();
}

base::task<result<relay::started>> relay::wait_for_answer() {
    while (!begun()) {
        const result<provider_call::pulled> pulled = co_await call_.pull();
        if (!pulled) {
            co_return pulled.error();
        }
        if (*pulled == provider_call::pulled::silence) {
            if (mode_ == mode::plain) {
                call_.output_sent();
                continue;  // what comes is no stream: there is no place for a comment in it
            }
            co_return started::silence;
        }
        ended_ = *pulled == provider_call::pulled::end;
        const result<void> ok = digest();
        if (!ok) {
            co_return ok.error();
        }
    }
    call_.answer_begun();
    in_band_ = in_band_ || mode_ == mode::events;
    reported_ = false;
    co_return started::answer;
}

// What comes of a stream before its content waits for that: until then the answer can still become an error.
void relay::take(const answer_reader::taken& t) {
    if (begun() && (sent_ || front_.empty())) {
        output_ = t.output;
    } else {
        front_ += t.output;
        output_ = begun() ? std::string_view(front_) : std::string_view();
    }
    call_.take(t.consumed);
}

// Closes an event that was left open, or the error would be taken for the rest of it.
void relay::append_error(const base::error& e) {
    tail_ += sent_ && reader_.inside_event() ? "\n\n" : "";
    tail_ += http::render_error_event(e, exchange_.form, exchange_.request_id.view());
}

http::chunk relay::take_output() noexcept {
    const std::string_view bytes = std::exchange(output_, {});
    sent_ = true;
    call_.output_sent();
    return {bytes, false};
}

result<http::chunk> relay::fail(base::error e) {
    report(end_reason_of(e));
    if (!in_band_ || e.code == errc::client_gone) {
        return e;
    }
    append_error(e);
    return http::chunk{tail_, true};
}

// The provider's answer is read to its end: what is left of it, and whether it was whole.
http::chunk relay::finish() {
    http::chunk c = take_output();
    c.last = true;
    // After an error event of its own the provider owes nothing more.
    const bool failed = mode_ == mode::events && !reader_.error_event().empty();
    const bool cut = mode_ == mode::events && !failed && !reader_.complete();
    if (cut || (failed && !reader_.passes_errors())) {
        tail_ = c.bytes;
        append_error(cut ? cut_short() : failed_with(reader_.error_event()));
        c.bytes = tail_;
    }
    report(cut || failed ? base::end_reason::upstream_error : base::end_reason::completed);
    return c;
}

// A web page is no API's answer whatever its status says: it comes from another server, or from something on the way.
base::error relay::unusable() const {
    return base::upstream_error(errc::upstream_error,
                                "The provider '" + std::string(provider_) +
                                    "' answered with a web page (text/html) instead of JSON. Check its base_url.");
}

base::error relay::cut_short() const {
    return base::upstream_error(errc::upstream_error,
                                "The provider '" + std::string(provider_) + "' ended its " +
                                    (mode_ == mode::events ? "stream" : "answer") + " before the answer was complete.",
                                base::retry_class::safe);
}

std::optional<http::chunk> relay::try_next() {
    if (ended_) {
        return finish();
    }
    if (!output_.empty()) {
        return take_output();
    }
    return std::nullopt;
}

base::task<result<http::chunk>> relay::next() {
    for (;;) {
        const result<provider_call::pulled> pulled = co_await call_.pull();
        if (!pulled) {
            co_return fail(pulled.error());
        }
        if (*pulled == provider_call::pulled::silence) {
            call_.output_sent();
            if (sent_ && reader_.inside_event()) {
                continue;  // a comment in the middle of a line would become part of it
            }
            co_return http::chunk{keep_alive_comment, false};
        }
        ended_ = *pulled == provider_call::pulled::end;
        const result<void> ok = digest();
        if (!ok) {
            co_return fail(ok.error());
        }
        if (const auto there = try_next()) {
            co_return *there;
        }
    }
}

}  // namespace concurred::upstream
