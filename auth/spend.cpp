#include "auth/spend.hpp"

#include <algorithm>
#include <limits>

namespace concurred::auth {

namespace {

using std::chrono::milliseconds;

struct calendar {
    std::uint16_t day = 0;
    std::uint16_t month = 0;
    milliseconds day_ends{0};    // from now
    milliseconds month_ends{0};  // from now
};

calendar calendar_of(base::wall_time now) noexcept {
    using namespace std::chrono;
    const auto today = floor<days>(now);
    const year_month_day date(today);
    const auto next_month = sys_days((date.year() / date.month() + months(1)) / day(1));
    calendar c;
    c.day = static_cast<std::uint16_t>(today.time_since_epoch().count());
    c.month = static_cast<std::uint16_t>(static_cast<int>(date.year()) * 12 +
                                         static_cast<int>(static_cast<unsigned>(date.month())));
    c.day_ends = ceil<milliseconds>(today + days(1) - now);
    c.month_ends = ceil<milliseconds>(next_month - now);
    return c;
}

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

bool take_money(money_cell& cell, std::int64_t budget, std::uint16_t period, const spend_request& request,
                std::uint64_t& taken) noexcept {
    const std::uint64_t cost = money_cell::units(sum(request.prompt_nano_usd, request.output_nano_usd));
    const std::uint64_t at_least = request.output_is_guess ? money_cell::units(request.prompt_nano_usd) : cost;
    taken = cell.take(period, money_cell::units(budget), std::max<std::uint64_t>(cost, 1), at_least);
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

bool take_place(spend_state& state, std::uint32_t most) noexcept {
    std::uint32_t active = state.active.load(std::memory_order_relaxed);
    while (active < most) {
        if (state.active.compare_exchange_weak(active, active + 1, std::memory_order_relaxed)) {
            return true;
        }
    }
    return false;
}

}  // namespace

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
    const calendar c = calendar_of(now);
    day.raise(c.day, money_cell::units(day_nano));
    month.raise(c.month, money_cell::units(month_nano));
    known.store(true, std::memory_order_release);
}

spend_decision reserve(spend_state& state, const spend_request& request, base::wall_time wall, base::steady_time now,
                       spend_hold& hold) noexcept {
    const spend_limits limits = state.limits();
    const calendar c = calendar_of(wall);
    const std::int64_t now_ns = nanos(now);
    spend_decision d;
    spend_hold taken;
    taken.state = &state;
    taken.day = c.day;
    taken.month = c.month;
    const auto denied = [&]() -> spend_decision {
        settle(taken, 0, 0, now);
        return d;
    };
    if ((limits.day_nano_usd != 0 || limits.month_nano_usd != 0) && !request.priced) {
        d.denied_by = spend_limit::unpriced;
        return d;
    }
    // Always counted: the limit may be set while requests are under way.
    if (!take_place(state, limits.concurrency != 0 ? limits.concurrency : std::numeric_limits<std::uint32_t>::max())) {
        d.denied_by = spend_limit::concurrency;
        d.limit = limits.concurrency;
        d.retry_after = std::chrono::seconds(1);  // nobody knows when one ends
        return denied();
    }
    taken.counted = true;
    if (limits.tokens_per_minute != 0) {
        const token_bucket bucket{limits.tokens_per_minute};
        d.tokens_limit = limits.tokens_per_minute;
        if (request.prompt_tokens >= limits.tokens_per_minute) {
            d.denied_by = spend_limit::too_large;
            d.limit = limits.tokens_per_minute;
            return denied();
        }
        // The bound on the answer gives way to the bucket: else a small limit would let nothing through at all.
        const std::uint64_t wanted = std::min(std::max<std::uint64_t>(request.prompt_tokens + request.output_tokens, 1),
                                              limits.tokens_per_minute);
        const token_step step = take_tokens(state.tokens, bucket, now_ns, wanted);
        d.tokens_left = step.left;
        d.tokens_full_in = whole(step.full_ns);
        if (!step.allowed) {
            d.denied_by = spend_limit::tokens;
            d.limit = limits.tokens_per_minute;
            d.left = step.left;
            d.retry_after = whole(step.retry_ns);
            return denied();
        }
        taken.tokens = wanted;
    }
    if (limits.day_nano_usd != 0 && !take_money(state.day, limits.day_nano_usd, c.day, request, taken.day_units)) {
        deny_money(d, spend_limit::day, limits.day_nano_usd, state.day, c.day, c.day_ends);
        return denied();
    }
    if (limits.month_nano_usd != 0 &&
        !take_money(state.month, limits.month_nano_usd, c.month, request, taken.month_units)) {
        deny_money(d, spend_limit::month, limits.month_nano_usd, state.month, c.month, c.month_ends);
        return denied();
    }
    hold = taken;
    return d;
}

void settle(spend_hold& hold, std::uint64_t tokens, std::int64_t nano_usd, base::steady_time now) noexcept {
    if (hold.state == nullptr) {
        return;
    }
    spend_state& state = *hold.state;
    if (hold.tokens != 0) {
        const std::uint64_t per_minute = state.tokens_per_minute.load(std::memory_order_relaxed);
        if (per_minute != 0) {
            settle_tokens(state.tokens, token_bucket{per_minute}, nanos(now), hold.tokens, tokens);
        }
    }
    const std::uint64_t spent = money_cell::units(nano_usd);
    if (hold.day_units != 0) {
        state.day.settle(hold.day, hold.day_units, spent);
    }
    if (hold.month_units != 0) {
        state.month.settle(hold.month, hold.month_units, spent);
    }
    if (hold.counted) {
        state.active.fetch_sub(1, std::memory_order_relaxed);
    }
    hold = {};
}

}  // namespace concurred::auth
