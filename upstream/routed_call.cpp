#include "upstream/routed_call.hpp"

#include "gateway/http/error_body.hpp"
#include "gateway/net/interruption.hpp"
#include "upstream/pause.hpp"

#include <algorithm>
#include <utility>

namespace concurred::upstream {

namespace {

using base::errc;
using base::result;
using base::steady_time;
using clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

}  // namespace

routed_call::routed_call(routing_state& state, http::exchange& x, relay_observer& observer, const params& p)
    : state_(state), exchange_(x), observer_(observer), params_(p), quiet_since_(clock::now()) {
    if (p.timeout.count() > 0) {
        deadline_ = quiet_since_ + p.timeout;
    }
}

routed_call::~routed_call() {
    attempt_.reset();
    hedge_.reset();
    if (!reported_) {
        relay_report r;
        r.end = exchange_.abort.reason() == http::abort_reason::drain_deadline ? base::end_reason::drain
                                                                               : base::end_reason::client_closed;
        observer_.relay_ended(exchange_, r);
    }
}

base::task<result<http::response>> routed_call::begin(std::unique_ptr<routed_call> self) {
    const result<relay::started> begun = co_await self->advance();
    if (!begun) {
        self->exchange_.body->release();
        co_return begun.error();
    }
    http::response r = self->answer(*begun);
    r.body = std::move(self);
    co_return std::move(r);
}

http::response routed_call::answer(relay::started how) {
    http::response r;
    const bool silence = how == relay::started::silence;
    r.content_type = silence ? event_stream_type : current().answer().content_type();
    r.status = silence ? 200 : current().answer().status();
    if (r.content_type.starts_with("text/event-stream")) {
        exchange_.headers.append("Cache-Control: no-cache, no-transform\r\nX-Accel-Buffering: no\r\n");
    }
    if (silence) {
        in_band_ = true;
        comment_due_ = true;
        reported_ = false;
    } else {
        name_dropped();
    }
    if (!fallback_reason_.empty()) {
        base::text_buffer<160> value;
        value.append(exchange_.fallback_from.view()).append(";").append(fallback_reason_);
        exchange_.headers.field("X-Concurred-Fallback", value.view());
    }
    return r;
}

void routed_call::name_dropped() {
    if (request_.dropped().empty()) {
        return;
    }
    std::string list;
    for (const std::string& name : request_.dropped()) {
        list.append(list.empty() ? "" : ", ").append(name);
    }
    exchange_.headers.field("X-Concurred-Dropped-Params", list);
}

steady_time routed_call::comment_due() const noexcept {
    return params_.stream && params_.silence.count() > 0 ? quiet_since_ + params_.silence : steady_time::max();
}

// Goes on until the answer has begun, or the client has to hear something, or there is nothing left to try.
base::task<result<relay::started>> routed_call::advance() {
    for (;;) {
        if (pause_until_ != steady_time()) {
            pause rest(state_.around.executor, state_.around.wheel, exchange_.abort,
                       std::min({pause_until_, comment_due(), deadline_}));
            co_await rest.wait();
            if (exchange_.abort.fired()) {
                co_return net::aborted(exchange_.abort.reason());
            }
            const steady_time now = clock::now();
            if (now < pause_until_ && now < deadline_) {
                co_return relay::started::silence;
            }
            pause_until_ = {};
        }
        result<relay::started> outcome = relay::started::silence;
        if (waiting_) {
            const result<relay::started> resumed = co_await attempt_->answer().resume();
            outcome = resumed;
        } else {
            if (const result<void> ok = choose(); !ok) {
                co_return ok.error();
            }
            if (!told_ && observer_.reserves_first(exchange_)) {
                const result<void> held =
                    co_await observer_.reserve(exchange_, client_body(), target_->target.max_output_tokens);
                if (!held) {
                    co_return held.error();
                }
            }
            if (const result<void> ok = told_ ? result<void>() : tell(); !ok) {
                co_return ok.error();
            }
            attempt_.emplace(state_, exchange_, exchange_, *target_, observer_);
            attempt_limits limits{.begin_by = deadline_,
                                  .quiet_since = quiet_since_,
                                  .silence = params_.stream ? params_.silence : milliseconds(0),
                                  .in_band = in_band_};
            if (const auto usual = hedge_after()) {
                may_hedge_ = true;
                limits.silence = *usual;
                limits.quiet_since = attempt_->began();
            }
            const result<relay::started> started = co_await attempt_->start(request_, limits);
            outcome = started;
            if (std::exchange(may_hedge_, false) && outcome && *outcome == relay::started::silence) {
                const result<relay::started> raced = co_await ask_again(limits);
                outcome = raced;
            }
        }
        waiting_ = outcome && *outcome == relay::started::silence;
        if (waiting_) {
            co_return relay::started::silence;
        }
        if (outcome) {
            succeeded();
            co_return relay::started::answer;
        }
        if (!failed(outcome.error())) {
            co_return final_error();
        }
    }
}

// With hedging on: the time until a second request is worth its price.
std::optional<milliseconds> routed_call::hedge_after() const noexcept {
    if (!state_.around.settings.hedge || in_band_) {
        return std::nullopt;
    }
    auto usual = attempt_->usual(params_.stream);
    if (usual && attempt_->began() + *usual >= comment_due()) {
        usual.reset();
    }
    return usual;
}

// The first content is later than usual: asks a second time, if the budget allows, and goes on with who answers first.
base::task<result<relay::started>> routed_call::ask_again(attempt_limits limits) {
    limits.silence = params_.stream ? params_.silence : milliseconds(0);
    limits.quiet_since = quiet_since_;
    attempt_->answer().next_silence(limits.silence, quiet_since_);
    if (!state_.hedges.spend(clock::now())) {
        const result<relay::started> resumed = co_await attempt_->answer().resume();
        co_return resumed;
    }
    const std::string_view provider = target_->to->name();
    hedge_ = std::make_unique<hedge>(state_, exchange_, *target_, observer_);
    const hedge::outcome raced = co_await hedge_->race(*attempt_, request_, limits);
    state_.around.metrics.hedged(provider, raced.second_won ? "won" : raced.begun ? "lost" : "failed");
    if (!raced.second_won) {
        if (raced.begun && hedge_->second().phase() == attempt_phase::answering) {
            observer_.hedge_lost(exchange_);
        }
        hedge_.reset();
        co_return raced.begun;
    }
    if (raced.first_failed) {
        attempt_->failed(*raced.first_failed, blame_for(*raced.first_failed, attempt_phase::answering));
    } else {
        observer_.hedge_lost(exchange_);
    }
    attempt_.reset();
    hedge_->take_over();  // behind it: the signal to stop is free now
    hedge_won_ = true;
    co_return raced.begun;
}

void routed_call::succeeded() {
    begun_ = true;
    reported_ = true;  // the relay reports from here on
    current().succeeded(params_.stream);
    exchange_.body->release();
}

std::optional<std::uint64_t> routed_call::length() const noexcept {
    return begun_ ? current().answer().length() : std::nullopt;
}

std::optional<http::chunk> routed_call::try_next() {
    if (begun_) {
        return current().answer().try_next();
    }
    return std::exchange(comment_due_, false) ? std::optional(comment()) : std::nullopt;
}

http::chunk routed_call::comment() noexcept {
    quiet_since_ = clock::now();
    if (waiting_) {
        current().answer().said_something();
    }
    return {keep_alive_comment, false};
}

base::task<result<http::chunk>> routed_call::next() {
    if (begun_) {
        return current().answer().next();
    }
    return next_before_content();
}

base::task<result<http::chunk>> routed_call::next_before_content() {
    const result<relay::started> begun = co_await advance();
    if (!begun) {
        co_return fail(begun.error());
    }
    if (*begun == relay::started::silence) {
        co_return comment();
    }
    if (const auto there = current().answer().try_next()) {
        co_return *there;
    }
    const result<http::chunk> first = co_await current().answer().next();
    co_return first;
}

// The answer has begun as a stream of comments, so the error goes into it.
result<http::chunk> routed_call::fail(base::error e) {
    attempt_.reset();
    exchange_.body->release();
    relay_report r;
    r.end = end_reason_of(e);
    reported_ = true;
    observer_.relay_ended(exchange_, r);
    if (e.code == errc::client_gone) {
        return e;
    }
    tail_ = http::render_error_event(e, exchange_.form, exchange_.request_id.view());
    return http::chunk{tail_, true};
}

}  // namespace concurred::upstream
