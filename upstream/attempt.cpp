#include "upstream/attempt.hpp"

#include "gateway/base/text_buffer.hpp"
#include "upstream/pause.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace concurred::upstream {

namespace {

using base::result;
using base::steady_time;
using clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr std::size_t most_pieces = 24;

// How long a key rests. Refused, or without money: a human has to do something. Over its rate: as the provider says.
constexpr std::chrono::seconds refused_key_rests{60};
constexpr std::chrono::seconds busy_key_rests{5};

time_budgets budgets_of(const base::provider_config& config, const attempt_limits& limits) noexcept {
    return {.first_token = config.first_token_timeout,
            .idle = config.idle_timeout,
            .total = config.total_timeout,
            .silence = limits.silence,
            .begin_by = limits.begin_by,
            .quiet_since = limits.quiet_since};
}

}  // namespace

attempt::attempt(routing_state& state, http::exchange& x, http::exchange& told, const routed_target& target,
                 relay_observer& observer)
    : state_(state),
      exchange_(x),
      told_(told),
      target_(target),
      observer_(observer),
      health_(*target.health),
      began_(clock::now()) {
    way_ = target.to->breaker().ask(began_);
    model_ = health_.breaker.ask(began_);
    if (!target.own) {
        key_ = target.to->keys().pick(began_);
        key_rested_ = target.to->keys().resting(key_, began_);
    }
}

attempt::~attempt() {
    call_.reset();  // first: an answer that is dropped reports so
    target_.to->breaker().said_nothing(std::exchange(way_, {}));
    health_.breaker.said_nothing(std::exchange(model_, {}));
}

base::task<result<net::lease>> attempt::connect(bool fresh, steady_time deadline) {
    timed_abort bounded(state_.around.wheel, exchange_.abort, deadline);
    result<net::lease> lease = co_await target_.to->pool().acquire(bounded.signal(), fresh);
    if (!lease && bounded.expired() && !exchange_.abort.fired()) {
        co_return base::upstream_error(base::errc::upstream_timeout, {});  // the request's own time: told elsewhere
    }
    co_return std::move(lease);
}

base::task<result<relay::started>> attempt::start(const prepared_request& request, const attempt_limits& limits) {
    provider& to = *target_.to;
    const owner_credential* const own = target_.own.get();
    const std::string_view key_line = own != nullptr ? own->key_line.reveal() : to.key(key_).line.reveal();
    base::text_buffer<60> length;
    length.append("Content-Length: ").append(request.body().size()).append("\r\n\r\n");
    std::array<std::string_view, most_pieces> pieces{to.head_start(), request.path(),   to.head_rest(),
                                                     key_line,        request.fields(), length.view()};
    constexpr std::size_t head_pieces = 6;
    const std::span<const std::string_view> body = request.body().pieces();
    std::copy(body.begin(), body.end(), pieces.begin() + head_pieces);
    const std::span<const std::string_view> message(pieces.data(), body.size() + head_pieces);

    relay::params params = request.relay_params();
    params.key = own != nullptr ? own->key() : std::string_view(to.key(key_).key);
    params.own = target_.own;
    params.in_band = limits.in_band;
    exchange_.times.first_byte = {};
    relay_observer& told = *this;
    for (bool fresh = false;; fresh = true) {
        phase_ = attempt_phase::connecting;
        std::optional<net::lease> lease;
        if (!fresh) {
            lease = to.pool().try_acquire(clock::now());
        }
        if (!lease) {
            result<net::lease> connected = co_await connect(fresh, limits.begin_by);
            if (!connected) {
                co_return connected.error();
            }
            lease = std::move(*connected);
        }
        phase_ = attempt_phase::answering;
        exchange_.times.connected = clock::now();
        call_.emplace(std::move(*lease), to.name(), budgets_of(to.settings(), limits), state_.around.buffers,
                      state_.around.wheel, exchange_, params, request.translator(), told);
        const result<relay::started> begun = co_await call_->start(message);
        if (begun || fresh || begun.error().retry != base::retry_class::reused_only) {
            co_return begun;
        }
        call_.reset();
    }
}

void attempt::succeeded(bool stream) noexcept {
    const steady_time now = clock::now();
    state_.around.metrics.upstream_attempt(target_.to->name(), "ok");
    target_.to->breaker().succeeded(std::exchange(way_, {}), now);
    if (key_rested_) {  // not for one that was put to rest while this was under way
        target_.to->keys().wake(key_);
    }
    health_.latency[stream ? 1 : 0].add(std::chrono::duration_cast<milliseconds>(now - began_), now);
    if (model_.probe) {  // others wait for its outcome: an answer that has begun is enough
        health_.breaker.succeeded(model_, now);
        model_ = health_.breaker.ask(now);
    }
}

void attempt::failed(const base::error& e, blame whose) {
    const steady_time now = clock::now();
    provider& to = *target_.to;
    const std::string_view reason = reason_text(e, phase_);
    state_.around.metrics.upstream_attempt(to.name(), reason);
    call_.reset();
    const auto way = std::exchange(way_, {});
    const auto model = std::exchange(model_, {});
    if (whose == blame::way) {
        to.breaker().failed(way, now);
    } else if (whose == blame::nobody) {
        to.breaker().said_nothing(way);
    } else {
        to.breaker().succeeded(way, now);
    }
    if (whose == blame::answer) {
        health_.breaker.failed(model, now, e.retry_after);
    } else {
        health_.breaker.said_nothing(model);
    }
    if (whose == blame::key && !target_.own) {
        const bool busy = base::status_of(e) == 429 && !is_about_money(e);
        const milliseconds rest = e.retry_after.count() > 0 ? e.retry_after : busy ? busy_key_rests : refused_key_rests;
        to.keys().rest(key_, now + rest);
        state_.around.metrics.key_rested(to.name(), reason);
    }
}

void attempt::relay_ended(http::exchange& /*x*/, const relay_report& report) noexcept {
    const steady_time now = clock::now();
    const auto model = std::exchange(model_, {});
    if (report.end == base::end_reason::upstream_error || report.end == base::end_reason::timeout) {
        health_.breaker.failed(model, now);
    } else {
        health_.breaker.succeeded(model, now);
    }
    observer_.relay_ended(told_, report);
}

}  // namespace concurred::upstream
