#include "auth/spend.hpp"

#include <algorithm>
#include <limits>

namespace concurred::auth {

namespace {

using std::chrono::milliseconds;

std::int64_t nanos(base::steady_time t) noexcept {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(t.time_since_epoch()).count();
}

std::int64_t sum(std::int64_t a, std::int64_t b) noexcept {
    std::int64_t total = 0;
    return __builtin_add_overflow(a, b, &total) ? std::numeric_limits<std::int64_t>::max() : total;
}

milliseconds whole(std::int64_t ns) noexcept {
    return std::chrono::ceil<milliseconds>(std::chrono::nanoseconds(ns));
}

/// The cells that limits are held against: those of all, or those of this gateway's share.
struct cell_set {
    std::atomic<std::int64_t>& tokens;
    money_cell& day;
    money_cell& month;
};

cell_set all_of(spend_state& state) noexcept {
    return {state.tokens, state.day, state.month};
}

cell_set share_cells_of(spend_state& state) noexcept {
    return {state.share.tokens, state.share.day, state.share.month};
}

bool take_money(money_cell& cell, std::int64_t budget, std::uint16_t period, const spend_request& request,
                std::uint64_t& taken) noexcept {
    taken = cell.take(period, money_cell::units(budget), request.most_units(), request.least_units());
    return taken != 0;
}

void deny_money(spend_decision& d, spend_limit which, std::int64_t budget, const money_cell& cell, std::uint16_t period,
                milliseconds ends) noexcept {
    const std::uint64_t units = money_cell::units(budget);
    const std::uint64_t spent = std::min(cell.spent(period), units);
    d.denied_by = which;
    d.limit = static_cast<std::uint64_t>(budget);
    d.left = (units - spent) * static_cast<std::uint64_t>(money_cell::unit_nano);
    d.retry_after = ends;
}

void correct(const cell_set& cells, const spend_hold& hold, std::uint64_t per_minute, std::uint64_t tokens,
             std::uint64_t spent_units, std::int64_t now_ns) noexcept {
    if (hold.tokens != 0 && per_minute != 0) {
        settle_tokens(cells.tokens, token_bucket{per_minute}, now_ns, hold.tokens, tokens);
    }
    if (hold.day_units != 0) {
        cells.day.settle(hold.day, hold.day_units, spent_units);
    }
    if (hold.month_units != 0) {
        cells.month.settle(hold.month, hold.month_units, spent_units);
    }
}

void charge(const cell_set& cells, const spend_hold& hold, std::uint64_t per_minute, std::int64_t now_ns) noexcept {
    if (hold.tokens != 0 && per_minute != 0) {
        settle_tokens(cells.tokens, token_bucket{per_minute}, now_ns, 0, hold.tokens);
    }
    if (hold.day_units != 0) {
        cells.day.charge(hold.day, hold.day_units);
    }
    if (hold.month_units != 0) {
        cells.month.charge(hold.month, hold.month_units);
    }
}

bool take_place(spend_state& state, std::uint32_t most) noexcept {
    std::uint32_t active = state.active.load(std::memory_order_relaxed);
    while (active < most) {
        if (state.active.compare_exchange_weak(active, active + 1, std::memory_order_relaxed)) {
            return true;
        }
    }
    return false;
}

/// Takes from the cells by `limits`; tells the client of `shown`.
spend_decision take_from(spend_state& state, const cell_set& cells, const spend_limits& limits,
                         const spend_limits& shown, const spend_request& request, base::wall_time wall,
                         base::steady_time now, spend_hold& hold) noexcept {
    const spend_periods periods = periods_of(wall);
    const std::int64_t now_ns = nanos(now);
    spend_decision d;
    spend_hold taken;
    taken.state = &state;
    taken.day = periods.day;
    taken.month = periods.month;
    const auto denied = [&]() -> spend_decision {
        correct(cells, taken, limits.tokens_per_minute, 0, 0, now_ns);
        if (taken.counted) {
            state.active.fetch_sub(1, std::memory_order_relaxed);
        }
        return d;
    };
    if (const spend_limit never = never_passes(shown, request); never != spend_limit::none) {
        d.denied_by = never;
        d.limit = shown.tokens_per_minute;
        return d;
    }
    // Always counted: the limit may be set while requests are under way.
    if (!take_place(state, limits.concurrency != 0 ? limits.concurrency : std::numeric_limits<std::uint32_t>::max())) {
        d.denied_by = spend_limit::concurrency;
        d.limit = shown.concurrency;
        d.retry_after = until_a_place;
        return denied();
    }
    taken.counted = true;
    if (limits.tokens_per_minute != 0) {
        const std::uint64_t wanted = tokens_to_hold(limits.tokens_per_minute, request);
        const token_step step = take_tokens(cells.tokens, token_bucket{limits.tokens_per_minute}, now_ns, wanted);
        d.tokens_limit = shown.tokens_per_minute;
        d.tokens_left = step.left;
        d.tokens_full_in = whole(step.full_ns);
        if (!step.allowed) {
            d.denied_by = spend_limit::tokens;
            d.limit = shown.tokens_per_minute;
            d.left = step.left;
            d.retry_after = whole(step.retry_ns);
            return denied();
        }
        taken.tokens = wanted;
    }
    if (limits.day_nano_usd != 0 &&
        !take_money(cells.day, limits.day_nano_usd, periods.day, request, taken.day_units)) {
        deny_money(d, spend_limit::day, limits.day_nano_usd, cells.day, periods.day, periods.day_ends);
        d.limit = static_cast<std::uint64_t>(shown.day_nano_usd);
        return denied();
    }
    if (limits.month_nano_usd != 0 &&
        !take_money(cells.month, limits.month_nano_usd, periods.month, request, taken.month_units)) {
        deny_money(d, spend_limit::month, limits.month_nano_usd, cells.month, periods.month, periods.month_ends);
        d.limit = static_cast<std::uint64_t>(shown.month_nano_usd);
        return denied();
    }
    hold = taken;
    return d;
}

}  // namespace

spend_periods periods_of(base::wall_time now) noexcept {
    using namespace std::chrono;
    const auto today = floor<days>(now);
    const year_month_day date(today);
    const auto next_month = sys_days((date.year() / date.month() + months(1)) / day(1));
    spend_periods p;
    p.day = static_cast<std::uint16_t>(today.time_since_epoch().count());
    p.month = static_cast<std::uint16_t>(static_cast<int>(date.year()) * 12 +
                                         static_cast<int>(static_cast<unsigned>(date.month())));
    p.day_ends = ceil<milliseconds>(today + days(1) - now);
    p.month_ends = ceil<milliseconds>(next_month - now);
    return p;
}

spend_limits share_of(const spend_limits& l, std::uint32_t replicas) noexcept {
    const auto part = [n = std::max(replicas, 1U)](auto whole_limit, auto least) {
        return whole_limit == 0 ? whole_limit : std::max(static_cast<decltype(whole_limit)>(whole_limit / n), least);
    };
    return {part(l.tokens_per_minute, std::uint64_t{1}), part(l.concurrency, std::uint32_t{1}),
            part(l.day_nano_usd, money_cell::unit_nano), part(l.month_nano_usd, money_cell::unit_nano)};
}

spend_limit never_passes(const spend_limits& limits, const spend_request& request) noexcept {
    if (limits.has_budget() && !request.priced) {
        return spend_limit::unpriced;
    }
    return limits.tokens_per_minute != 0 && request.prompt_tokens >= limits.tokens_per_minute ? spend_limit::too_large
                                                                                              : spend_limit::none;
}

std::uint64_t tokens_to_hold(std::uint64_t per_minute, const spend_request& request) noexcept {
    return std::min(std::max<std::uint64_t>(request.prompt_tokens + request.output_tokens, 1), per_minute);
}

std::uint64_t spend_request::most_units() const noexcept {
    return std::max<std::uint64_t>(money_cell::units(sum(prompt_nano_usd, output_nano_usd)), 1);
}

std::uint64_t spend_request::least_units() const noexcept {
    return money_cell::units(output_is_guess ? prompt_nano_usd : sum(prompt_nano_usd, output_nano_usd));
}

void spend_state::set(const spend_limits& l) noexcept {
    tokens_per_minute.store(l.tokens_per_minute, std::memory_order_relaxed);
    concurrency.store(l.concurrency, std::memory_order_relaxed);
    day_nano_usd.store(l.day_nano_usd, std::memory_order_relaxed);
    month_nano_usd.store(l.month_nano_usd, std::memory_order_relaxed);
}

spend_limits spend_state::limits() const noexcept {
    return {tokens_per_minute.load(std::memory_order_relaxed), concurrency.load(std::memory_order_relaxed),
            day_nano_usd.load(std::memory_order_relaxed), month_nano_usd.load(std::memory_order_relaxed)};
}

void spend_state::known_spent(base::wall_time now, std::int64_t day_nano, std::int64_t month_nano) noexcept {
    const spend_periods periods = periods_of(now);
    day.raise(periods.day, money_cell::units(day_nano));
    month.raise(periods.month, money_cell::units(month_nano));
    known.store(true, std::memory_order_release);
}

spend_decision reserve(spend_state& state, const spend_request& request, base::wall_time wall, base::steady_time now,
                       spend_hold& hold) noexcept {
    const spend_limits limits = state.limits();
    return take_from(state, all_of(state), limits, limits, request, wall, now, hold);
}

spend_decision reserve_share(spend_state& state, const spend_request& request, std::uint32_t replicas,
                             base::wall_time wall, base::steady_time now, spend_hold& hold) noexcept {
    const spend_limits limits = state.limits();
    const spend_periods periods = periods_of(wall);
    spend_decision d;
    // What all have spent together, as far as is known here, counts as well.
    if (limits.day_nano_usd != 0 && state.day.spent(periods.day) >= money_cell::units(limits.day_nano_usd)) {
        deny_money(d, spend_limit::day, limits.day_nano_usd, state.day, periods.day, periods.day_ends);
    } else if (limits.month_nano_usd != 0 &&
               state.month.spent(periods.month) >= money_cell::units(limits.month_nano_usd)) {
        deny_money(d, spend_limit::month, limits.month_nano_usd, state.month, periods.month, periods.month_ends);
    }
    if (!d.allowed()) {
        return d;
    }
    spend_hold taken;
    d = take_from(state, share_cells_of(state), share_of(limits, replicas), limits, request, wall, now, taken);
    if (d.allowed()) {
        charge(all_of(state), taken, limits.tokens_per_minute, nanos(now));
        hold = taken;
        hold.replicas = replicas;
    }
    return d;
}

void count_admitted(const spend_hold& hold, base::steady_time now) noexcept {
    spend_state& state = *hold.state;
    const spend_limits limits = state.limits();
    charge(all_of(state), hold, limits.tokens_per_minute, nanos(now));
    if (hold.replicas != 0) {
        charge(share_cells_of(state), hold, share_of(limits, hold.replicas).tokens_per_minute, nanos(now));
    }
    if (hold.counted) {
        state.active.fetch_add(1, std::memory_order_relaxed);
    }
}

void settle(spend_hold& hold, std::uint64_t tokens, std::int64_t nano_usd, base::steady_time now) noexcept {
    if (hold.state == nullptr) {
        return;
    }
    spend_state& state = *hold.state;
    const spend_limits limits = state.limits();
    const std::uint64_t spent = money_cell::units(nano_usd);
    correct(all_of(state), hold, limits.tokens_per_minute, tokens, spent, nanos(now));
    if (hold.replicas != 0) {
        correct(share_cells_of(state), hold, share_of(limits, hold.replicas).tokens_per_minute, tokens, spent,
                nanos(now));
    }
    if (hold.counted) {
        state.active.fetch_sub(1, std::memory_order_relaxed);
    }
    hold = {};
}

}  // namespace concurred::auth
