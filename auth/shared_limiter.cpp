#include "auth/shared_limiter.hpp"

#include "auth/key_state.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace concurred::auth {

namespace {

using base::task;

constexpr std::chrono::milliseconds between_looks{250};
constexpr std::int64_t idle_us = 1'000'000;  // a slice that was not used for this long is given back

std::int64_t now_micros() noexcept {
    return base::micros(std::chrono::steady_clock::now());
}

/// Limits of sessions have no key: they are their owner's.
std::string_view tag_of(const principal& who) noexcept {
    return who.key_id.empty() ? who.owner.view() : who.key_id.view();
}

/// Of two that both allow, the one met first; else the one to wait longer for.
const limit_decision& governing(const limit_decision& a, const limit_decision& b) noexcept {
    if (a.allowed != b.allowed) {
        return a.allowed ? b : a;
    }
    if (!a.allowed) {
        return b.retry_after > a.retry_after ? b : a;
    }
    return b.remaining < a.remaining || (b.remaining == a.remaining && b.limit < a.limit) ? b : a;
}

}  // namespace

shared_limiter::shared_limiter(base::executor ex, const rate_limiter& rules, storage::redis_client& redis,
                               limit_mode mode, std::uint32_t replicas)
    : rules_(rules), redis_(redis), mode_(mode), replicas_(replicas), tasks_(ex, {}), pause_(ex) {}

// nullopt only when memory has run out.
std::optional<shared_limiter::terms> shared_limiter::terms_of(const principal& who, path_class path) const noexcept {
    shared_cells* const cells = who.state->shared();
    if (cells == nullptr) {
        return std::nullopt;
    }
    terms t{who.limit, cells->key};
    if (mode_ == limit_mode::leased) {
        t.slice = slice_of(who.limit, replicas_);
    }
    t.capacity_us = t.slice == 0 ? who.limit.capacity_us() : capacity_beside_slices(who.limit, t.slice, replicas_);
    t.path = rules_.tighter_limit(who.limit, path);
    if (t.path != nullptr) {
        t.path_cell = &cells->path[static_cast<std::size_t>(path)];
    }
    return t;
}

void shared_limiter::count_admitted(const terms& t, std::int64_t now_us) const noexcept {
    charge(t.key_cell.own, t.key, now_us);
    charge(t.key_cell.share, share_of(t.key, replicas_), now_us);
    if (t.path != nullptr) {
        charge(t.path_cell->own, *t.path, now_us);
        charge(t.path_cell->share, share_of(*t.path, replicas_), now_us);
    }
}

std::optional<limit_decision> shared_limiter::decide_now(const principal& who, path_class path, std::int64_t now_us) {
    const auto t = terms_of(who, path);
    if (!t) {
        return limit_decision{.limit = who.limit.limit, .retry_after = std::chrono::seconds{1}};
    }
    const auto refused_before = [&](const shared_cell& cell, const gcra_limit& l) -> std::optional<limit_decision> {
        const std::int64_t wait = denied_for(cell, l, now_us);
        if (wait == 0) {
            return std::nullopt;
        }
        ++counters_.remembered;
        return decision_at(l, 0, ahead_of(cell.seen, now_us), wait);
    };
    if (t->path != nullptr) {
        if (auto denied = refused_before(*t->path_cell, *t->path)) {
            return denied;
        }
    }
    if (t->slice != 0 && t->path == nullptr && take_held(t->key_cell, now_us)) {
        ++counters_.held;
        count_admitted(*t, now_us);
        return decision_at(t->key, t->capacity_us, ahead_of(t->key_cell.seen, now_us), 0,
                           t->key_cell.held.load(std::memory_order_relaxed));
    }
    if (auto denied = refused_before(t->key_cell, t->key)) {
        return denied;
    }
    if (!redis_.reachable()) {
        return decide_alone(*t, now_us);
    }
    return std::nullopt;
}

limit_decision shared_limiter::decide_alone(const terms& t, std::int64_t now_us) {
    ++counters_.alone;
    const gcra_limit key_share = share_of(t.key, replicas_);
    limit_decision said;
    if (t.path == nullptr) {
        said = try_acquire(t.key_cell.share, key_share, now_us);
        said.limit = t.key.limit;
    } else {
        const gcra_limit path_share = share_of(*t.path, replicas_);
        limit_decision by_path = try_acquire(t.path_cell->share, path_share, now_us);
        limit_decision by_key = by_path.allowed ? try_acquire(t.key_cell.share, key_share, now_us)
                                                : would_acquire(t.key_cell.share, key_share, now_us);
        if (by_path.allowed && !by_key.allowed) {
            refund(t.path_cell->share, path_share, now_us);
        }
        by_path.limit = t.path->limit;
        by_key.limit = t.key.limit;
        said = governing(by_key, by_path);
    }
    if (said.allowed) {
        charge(t.key_cell.own, t.key, now_us);
        if (t.path != nullptr) {
            charge(t.path_cell->own, *t.path, now_us);
        }
    }
    return said;
}

task<limit_decision> shared_limiter::ask(principal who, path_class path, charges_beside* beside) {
    const auto t = terms_of(who, path);
    if (!t) {
        co_return limit_decision{.limit = who.limit.limit, .retry_after = std::chrono::seconds{1}};
    }
    const std::int64_t began = now_micros();
    boost::container::small_vector<bucket_charge, 3> buckets{
        bucket_charge{"rpm", t->capacity_us, t->key.emission.count(), 0, ahead_of(t->key_cell.own, began)}};
    std::string path_name;
    if (t->path != nullptr) {
        path_name = "rpm:" + rules_.rules()[static_cast<std::size_t>(path)].route;
        buckets.push_back(
            {path_name, t->path->capacity_us(), t->path->emission.count(), 0, ahead_of(t->path_cell->own, began)});
    }
    // One at a time gets a slice, and only as much as is missing: that is what bounds the units a gateway can hold.
    std::uint32_t extra = 0;
    const bool takes = t->slice != 0 && t->path == nullptr && !t->key_cell.taking.exchange(true);
    if (takes) {
        extra = t->slice - std::min(t->slice, t->key_cell.held.load(std::memory_order_relaxed));
        buckets[0].unit_us = t->key.emission.count();
    }
    const charges_beside none;
    const charges_beside& also = beside != nullptr ? *beside : none;
    buckets.insert(buckets.end(), also.buckets.begin(), also.buckets.end());
    auto answer = co_await redis_.take(tag_of(who), {buckets.data(), buckets.size()}, extra, also.place, also.money);
    const std::int64_t now = now_micros();
    if (answer && answer->extra != 0) {
        counters_.units_taken += answer->extra;
        add_held(t->key_cell, answer->extra, now);
        if (!t->key_cell.booked.exchange(true)) {
            leases_.push_back({who.state, std::string(tag_of(who)), who.limit});
        }
    }
    if (takes) {
        t->key_cell.taking.store(false);
    }
    const limit_decision said = answer ? conclude(*t, *answer, now) : decide_alone(*t, now);
    if (beside != nullptr) {
        beside->take(std::move(answer));
    }
    co_return said;
}

limit_decision shared_limiter::as_known(const principal& who, path_class path) const {
    const auto t = terms_of(who, path);
    if (!t) {
        return limit_decision{.allowed = true, .limit = who.limit.limit};
    }
    const std::int64_t now = now_micros();
    const limit_decision key =
        decision_at(t->key, t->capacity_us, ahead_of(t->key_cell.seen, now), 0, t->key_cell.held.load());
    return t->path == nullptr
               ? key
               : governing(key, decision_at(*t->path, t->path->capacity_us(), ahead_of(t->path_cell->seen, now), 0));
}

limit_decision shared_limiter::conclude(const terms& t, const charges_answer& answer, std::int64_t now_us) {
    ++counters_.asked;
    const auto learn = [&](shared_cell& cell, const gcra_limit& l, std::int64_t capacity_us, const charge_answer& said,
                           std::uint32_t held) {
        cell.seen.store(now_us + said.ahead_us, std::memory_order_relaxed);
        if (said.retry_us > 0) {
            remember_denial(cell, l, now_us, said.retry_us);
        }
        return decision_at(l, capacity_us, said.ahead_us, said.retry_us, held);
    };
    const std::uint32_t held = t.slice != 0 ? t.key_cell.held.load(std::memory_order_relaxed) : 0;
    limit_decision said = learn(t.key_cell, t.key, t.capacity_us, answer.each[0], held);
    if (t.path != nullptr) {
        said = governing(said, learn(*t.path_cell, *t.path, t.path->capacity_us(), answer.each[1], 0));
    }
    if (answer.allowed) {
        count_admitted(t, now_us);
    }
    return said;
}

// Slices

task<> shared_limiter::tidy() {
    while (!closed_) {
        pause_.expires_after(between_looks);
        static_cast<void>(co_await pause_.async_wait(base::awaiting));
        if (!closed_) {
            co_await give_back(false);
        }
    }
}

task<> shared_limiter::give_back(bool all) {
    const std::int64_t now = now_micros();
    std::vector<std::pair<lease, std::int64_t>> ended;
    std::erase_if(leases_, [&](lease& one) {
        shared_cell& cell = one.state->shared()->key;
        if (!all && now - cell.used_at.load(std::memory_order_relaxed) < idle_us) {
            return false;
        }
        // Whoever takes a slice from here on books it again.
        cell.booked.store(false);
        counters_.units_returned += cell.held.load(std::memory_order_relaxed);
        if (const std::int64_t worth = take_rest(cell, one.limit, now); worth != 0) {
            ended.emplace_back(std::move(one), -worth);
        }
        return true;
    });
    for (const auto& [one, delta] : ended) {
        const bucket_adjustment back{"rpm", delta, one.limit.capacity_us()};
        static_cast<void>(co_await redis_.adjust(one.key_id, {&back, 1}));
    }
}

task<> shared_limiter::close() {
    closed_ = true;
    pause_.cancel();
    co_await tasks_.join();
    co_await give_back(true);
}

}  // namespace concurred::auth
