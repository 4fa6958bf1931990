#include "auth/limits.hpp"

#include <algorithm>

namespace concurred::auth {

namespace {

constexpr std::string_view wildcard = "/*";

/// Whether `pattern` ends in "/*" and `route` lies below it.
bool covers(std::string_view pattern, std::string_view route) noexcept {
    return pattern.ends_with(wildcard) && route.starts_with(pattern.substr(0, pattern.size() - 1));
}

/// Whether more than `path_limits_end_above` requests per 60 s.
bool overrides_paths(const gcra_limit& key) noexcept {
    return std::int64_t{key.limit} * 60'000'000 > std::int64_t{path_limits_end_above} * key.window.count();
}

/// Of two limits that both allow: the one a client meets first.
const limit_decision& tighter(const limit_decision& a, const limit_decision& b) noexcept {
    return b.remaining < a.remaining || (b.remaining == a.remaining && b.limit < a.limit) ? b : a;
}

/// Of a limit that denies and another: the one to wait longer for.
const limit_decision& slower(const limit_decision& denied, const limit_decision& other) noexcept {
    return !other.allowed && other.retry_after > denied.retry_after ? other : denied;
}

}  // namespace

base::result<rate_limiter> rate_limiter::make(const base::limits_config& config) {
    rate_limiter limiter;
    for (const path_limit& known : default_path_limits) {
        limiter.classes_.push_back({std::string(known.route), gcra_limit(known.limit, known.window)});
    }
    for (const auto& [route, per_minute] : config.paths) {
        if (per_minute == 0) {
            return base::gateway_error(base::errc::internal, "limits.paths: the limit of '" + route + "' is 0.");
        }
        const gcra_limit limit(per_minute, std::chrono::seconds{60});
        const auto known = std::ranges::find(limiter.classes_, route, &path_rule::route);
        if (known != limiter.classes_.end()) {
            known->limit = limit;
        } else {
            limiter.classes_.push_back({route, limit});
        }
    }
    limiter.classes_.push_back({"", gcra_limit(other_paths.limit, other_paths.window)});
    if (limiter.classes_.size() > max_path_classes) {
        return base::gateway_error(base::errc::internal, "limits.paths: too many different routes.");
    }
    return limiter;
}

path_class rate_limiter::class_of(std::string_view route) const noexcept {
    std::size_t best = classes_.size() - 1;
    for (std::size_t i = 0; i + 1 < classes_.size(); ++i) {
        if (classes_[i].route == route) {
            return static_cast<path_class>(i);
        }
        if (covers(classes_[i].route, route) && classes_[i].route.size() > classes_[best].route.size()) {
            best = i;
        }
    }
    return static_cast<path_class>(best);
}

const gcra_limit* rate_limiter::tighter_limit(const gcra_limit& key, path_class path) const noexcept {
    const gcra_limit& limit = limit_of(path);
    // The path sees a part of the key's requests. If it refills no slower and holds no less, it never runs out first.
    const bool never_first = limit.emission <= key.emission && limit.burst >= key.burst;
    return never_first || overrides_paths(key) ? nullptr : &limit;
}

std::atomic<std::int64_t>* rate_limiter::tighter_cell(const principal& who, path_class path) const noexcept {
    return tighter_limit(who.limit, path) == nullptr ? nullptr : who.state->path_cell(static_cast<std::size_t>(path));
}

limit_decision rate_limiter::admit(const principal& who, path_class path, std::int64_t now_us,
                                   std::uint32_t cost) const noexcept {
    std::atomic<std::int64_t>& key_cell = who.state->tat;
    std::atomic<std::int64_t>* const path_cell = tighter_cell(who, path);
    if (path_cell == nullptr) {
        return try_acquire(key_cell, who.limit, now_us, cost);
    }
    const gcra_limit& limit = limit_of(path);
    // Asked before anything is taken: a client that keeps on sending to an exhausted path must not hold units of its
    // key, even for a moment, while its other requests come in on other cores.
    if (const limit_decision by_path = would_acquire(*path_cell, limit, now_us, cost); !by_path.allowed) {
        return slower(by_path, would_acquire(key_cell, who.limit, now_us, cost));
    }
    const limit_decision by_key = try_acquire(key_cell, who.limit, now_us, cost);
    if (!by_key.allowed) {
        return by_key;
    }
    const limit_decision by_path = try_acquire(*path_cell, limit, now_us, cost);
    if (!by_path.allowed) {
        auth::refund(key_cell, who.limit, now_us, cost);
        return by_path;
    }
    return tighter(by_key, by_path);
}

void rate_limiter::refund(const principal& who, path_class path, std::int64_t now_us,
                          std::uint32_t cost) const noexcept {
    auth::refund(who.state->tat, who.limit, now_us, cost);
    if (std::atomic<std::int64_t>* const path_cell = tighter_cell(who, path)) {
        auth::refund(*path_cell, limit_of(path), now_us, cost);
    }
}

}  // namespace concurred::auth
