#include "auth/shared_spend.hpp"

#include "auth/spend_charges.hpp"
#include "auth/spend_memory.hpp"
#include "crypto/bytes.hpp"
#include "crypto/encoding.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

namespace concurred::auth {

namespace {

using base::task;
using clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds between_rounds{250};
constexpr std::size_t most_renewed_at_once = 500;

std::string member_of(const base::event_id& id) {
    return crypto::hex_encode(crypto::to_view(id));
}

}  // namespace

shared_spend::shared_spend(base::executor ex, shared_limiter& limiter, storage::redis_client& redis,
                           std::uint32_t replicas)
    : limiter_(limiter), redis_(redis), replicas_(std::max(replicas, 1U)), tasks_(ex, {}), pause_(ex) {}

task<shared_spend::outcome> shared_spend::take(const owed_request* owed, question q, base::spend_hold& hold) {
    outcome out;
    const spend_limits limits = q.state.limits();
    out.spend.denied_by = never_passes(limits, q.wanted);
    if (!out.spend.allowed()) {
        out.spend.limit = limits.tokens_per_minute;
        co_return out;
    }
    const base::steady_time began = clock::now();
    const auto denied =
        hold.counted || !redis_.reachable() ? std::nullopt : denied_before(q.state.denials, limits, q.wanted, began);
    if (denied) {
        ++remembered_;
        out.spend = *denied;
        if (owed != nullptr) {
            out.requests = limiter_.as_known(owed->who, owed->path);
        }
        co_return out;
    }
    const std::string member = member_of(q.id);
    const spend_charges wanted(q.state, q.wanted, member, hold, q.wall, began, lease);
    charges_beside beside{.buckets = {wanted.buckets.data(), wanted.buckets.size()},
                          .place = &wanted.place,
                          .money = {wanted.money.data(), wanted.money.size()}};
    if (owed != nullptr) {
        const limit_decision said = co_await limiter_.ask(owed->who, owed->path, &beside);
        out.requests = said;
    } else if (redis_.reachable()) {
        auto answer = co_await redis_.take(q.key_id, beside.buckets, 0, beside.place, beside.money);
        beside.take(std::move(answer));
    }
    const base::steady_time now = clock::now();
    if (owed == nullptr) {
        ++(beside.answer ? asked_ : alone_);
    }
    if (beside.answer) {
        out.spend = wanted.decision(*beside.answer);
        if (beside.answer->allowed) {
            auth::settle(hold, 0, 0, now);
            hold = wanted.hold(q.state, *beside.answer, replicas_);
            count_admitted(hold, now);
            open_[member] = {std::string(q.key_id), limits.has_budget()};
        } else {
            remember(q.state.denials, out.spend, q.wanted, now);
        }
        co_return out;
    }
    // Whether Redis has taken it is not known when its answer did not come: then it is told the end like all others.
    const bool placed = hold.placed || beside.unknown;
    auth::settle(hold, 0, 0, now);
    if (!out.requests || out.requests->allowed) {
        out.spend = reserve_share(q.state, q.wanted, replicas_, q.wall, now, hold);
    }
    if (placed && hold.state != nullptr) {
        hold.placed = true;
        open_[member] = {std::string(q.key_id), limits.has_budget()};
    } else if (placed) {
        const spend_periods periods = periods_of(q.wall);
        settle(q.key_id, q.id, base::spend_hold{.state = &q.state, .day = periods.day, .month = periods.month}, 0, 0);
    }
    co_return out;
}

void shared_spend::settle(std::string_view key_id, const base::event_id& id, const base::spend_hold& hold,
                          std::uint64_t tokens, std::int64_t nano_usd) noexcept {
    forget(hold.state->denials);
    try {
        settlement one;
        one.key_id = key_id;
        one.member = member_of(id);
        const std::uint64_t per_minute = hold.state->limits().tokens_per_minute;
        one.tokens_us = per_minute != 0 ? token_cost_us(per_minute, tokens) : 0;
        one.units = static_cast<std::int64_t>(money_cell::units(nano_usd));
        one.day = hold.day;
        one.month = hold.month;
        one.until = clock::now() + lease;
        open_.erase(one.member);
        tasks_.spawn(send(std::move(one)));
    } catch (...) {
        // Memory has run out. The lease will end.
    }
}

// A member has something of each limit, or nothing: what was not held is not looked at over there.
task<> shared_spend::send(settlement one) {
    const std::string day = day_amount(one.day);
    const std::string month = month_amount(one.month);
    const std::array<charge_settlement, 3> used{
        charge_settlement{token_bucket_name, false, one.tokens_us, most_tokens_us},
        charge_settlement{day, true, one.units, day_keep.count()},
        charge_settlement{month, true, one.units, month_keep.count()}};
    const bool done = co_await redis_.settle(one.key_id, one.member, used);
    if (!done && !closed_ && clock::now() < one.until) {
        again_.push_back(std::move(one));
    }
}

task<> shared_spend::tidy() {
    while (!closed_) {
        pause_.expires_after(between_rounds);
        static_cast<void>(co_await pause_.async_wait(base::awaiting));
        if (closed_ || !redis_.reachable()) {
            continue;
        }
        for (settlement& one : std::exchange(again_, {})) {
            tasks_.spawn(send(std::move(one)));
        }
        if (clock::now() - renewed_ >= lease / 3) {
            renewed_ = clock::now();
            co_await renew();
        }
    }
}

task<> shared_spend::renew() {
    std::map<std::pair<std::string, bool>, std::vector<std::string>> by_key;
    for (const auto& [member, request] : open_) {
        by_key[{request.key_id, request.money}].push_back(member);
    }
    for (const auto& [key, members] : by_key) {
        for (std::size_t at = 0; at < members.size() && !closed_; at += most_renewed_at_once) {
            const std::size_t count = std::min(most_renewed_at_once, members.size() - at);
            const std::vector<std::string_view> some(members.begin() + static_cast<std::ptrdiff_t>(at),
                                                     members.begin() + static_cast<std::ptrdiff_t>(at + count));
            static_cast<void>(co_await redis_.renew(key.first, some, lease, places_keep(key.second, lease)));
        }
    }
}

task<> shared_spend::close() {
    closed_ = true;
    pause_.cancel();
    co_await tasks_.join();
}

}  // namespace concurred::auth
