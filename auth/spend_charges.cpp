#include "auth/spend_charges.hpp"

#include <algorithm>
#include <cmath>

namespace concurred::auth {

namespace {

std::int64_t ahead_us(std::int64_t cell_ns, base::steady_time now) noexcept {
    const std::int64_t now_ns = std::chrono::duration_cast<std::chrono::nanoseconds>(now.time_since_epoch()).count();
    return std::max<std::int64_t>(cell_ns - now_ns, 0) / 1'000;
}

std::chrono::milliseconds millis_of(std::int64_t us) noexcept {
    return std::chrono::ceil<std::chrono::milliseconds>(std::chrono::microseconds(us));
}

money_charge charge_of(std::string_view name, std::int64_t budget, std::uint64_t known, const spend_request& wanted,
                       std::chrono::milliseconds keep) noexcept {
    return {name, money_cell::units(budget), wanted.most_units(), wanted.least_units(), known, keep};
}

}  // namespace

std::string day_amount(std::uint16_t day) {
    return "d" + std::to_string(day);
}

std::string month_amount(std::uint16_t month) {
    return "m" + std::to_string(month);
}

std::int64_t token_cost_us(std::uint64_t per_minute, std::uint64_t tokens) noexcept {
    const double cost =
        static_cast<double>(tokens) * token_window_us / static_cast<double>(std::max<std::uint64_t>(per_minute, 1));
    return cost >= most_tokens_us ? most_tokens_us : static_cast<std::int64_t>(std::ceil(cost));
}

std::chrono::milliseconds places_keep(bool money, std::chrono::milliseconds lease) noexcept {
    return money ? month_keep : lease + std::chrono::seconds(1);
}

spend_charges::spend_charges(const spend_state& state, const spend_request& wanted, std::string_view member,
                             const base::spend_hold& held, base::wall_time wall, base::steady_time now,
                             std::chrono::milliseconds lease)
    : limits_(state.limits()), periods_(periods_of(wall)) {
    const std::uint32_t active = state.active.load(std::memory_order_relaxed);
    place.member = member;
    place.limit = limits_.concurrency;
    place.floor = held.counted && active > 0 ? active - 1 : active;
    place.lease = lease;
    place.keep = places_keep(limits_.has_budget(), lease);
    if (limits_.tokens_per_minute != 0) {
        tokens_ = tokens_to_hold(limits_.tokens_per_minute, wanted);
        buckets.push_back({.name = token_bucket_name,
                           .capacity_us = token_window_us,
                           .cost_us = std::min(token_cost_us(limits_.tokens_per_minute, tokens_), token_window_us),
                           .floor_us = ahead_us(state.tokens.load(std::memory_order_relaxed), now),
                           .debt_us = most_tokens_us - token_window_us,
                           .held = true});
    }
    if (limits_.day_nano_usd != 0) {
        day_ = day_amount(periods_.day);
        money.push_back(charge_of(day_, limits_.day_nano_usd, state.day.spent(periods_.day), wanted, day_keep));
    }
    if (limits_.month_nano_usd != 0) {
        month_ = month_amount(periods_.month);
        money.push_back(
            charge_of(month_, limits_.month_nano_usd, state.month.spent(periods_.month), wanted, month_keep));
    }
}

spend_decision spend_charges::decision(const charges_answer& answer) const noexcept {
    spend_decision d;
    if (!buckets.empty()) {
        const token_bucket bucket{limits_.tokens_per_minute};
        d.tokens_limit = limits_.tokens_per_minute;
        d.tokens_left = bucket.left(answer.each.back().ahead_us * 1'000, 0);
        d.tokens_full_in = millis_of(answer.each.back().ahead_us);
    }
    if (answer.place.retry_us > 0) {
        d.denied_by = spend_limit::concurrency;
        d.limit = limits_.concurrency;
        d.retry_after = until_a_place;
        return d;
    }
    if (!buckets.empty() && answer.each.back().retry_us > 0) {
        d.denied_by = spend_limit::tokens;
        d.limit = limits_.tokens_per_minute;
        d.left = d.tokens_left;
        d.retry_after = millis_of(answer.each.back().retry_us);
        return d;
    }
    for (std::size_t i = 0; i < money.size(); ++i) {
        if (answer.money[i].taken != 0) {
            continue;
        }
        const bool day = money[i].name == day_;
        d.denied_by = day ? spend_limit::day : spend_limit::month;
        d.limit = static_cast<std::uint64_t>(day ? limits_.day_nano_usd : limits_.month_nano_usd);
        d.left = (money[i].budget - std::min(answer.money[i].spent, money[i].budget)) * money_cell::unit_nano;
        d.retry_after = day ? periods_.day_ends : periods_.month_ends;
        return d;
    }
    return d;
}

base::spend_hold spend_charges::hold(spend_state& state, const charges_answer& answer,
                                     std::uint32_t replicas) const noexcept {
    base::spend_hold h;
    h.state = &state;
    h.tokens = tokens_;
    h.day = periods_.day;
    h.month = periods_.month;
    h.counted = true;
    h.placed = true;
    h.replicas = replicas;
    for (std::size_t i = 0; i < money.size(); ++i) {
        (money[i].name == day_ ? h.day_units : h.month_units) = answer.money[i].taken;
    }
    return h;
}

}  // namespace concurred::auth
