#include "bench/load_figures.hpp"

#include <algorithm>
#include <numeric>

namespace concurred::bench {
namespace {

std::int64_t micros_between(base::steady_time from, base::steady_time to) noexcept {
    return std::chrono::duration_cast<std::chrono::microseconds>(to - from).count();
}

constexpr std::array<std::string_view, outcomes> names{"succeeded",  "left",      "status", "error_event",
                                                       "incomplete", "malformed", "broken", "unconnected",
                                                       "timed_out",  "unfinished"};

}  // namespace

std::string_view name_of(outcome what) noexcept {
    return names[static_cast<std::size_t>(what)];
}

std::uint64_t kind_figures::all() const noexcept {
    return std::accumulate(ended.begin(), ended.end(), std::uint64_t{0});
}

void kind_figures::merge(const kind_figures& other) {
    std::ranges::transform(ended, other.ended, ended.begin(), std::plus<>{});
    for (const auto& [status, times] : other.statuses) {
        statuses[status] += times;
    }
    events += other.events;
    bytes += other.bytes;
    lost += other.lost;
    duplicated += other.duplicated;
    reordered += other.reordered;
    total.merge(other.total);
    service.merge(other.service);
    first.merge(other.first);
    gap.merge(other.gap);
    delay.merge(other.delay);
}

void window_figures::merge(const window_figures& other) {
    planned += other.planned;
    succeeded += other.succeeded;
    failed += other.failed;
    events += other.events;
    total.merge(other.total);
    delay.merge(other.delay);
}

load_figures::load_figures(std::size_t kinds, base::steady_time begin, base::steady_time measured_from,
                           base::steady_time end, std::chrono::nanoseconds window)
    : begin_(begin), measured_from_(measured_from), end_(end), window_(window), kinds_(kinds) {
    windows_.resize(static_cast<std::size_t>((end - begin + window - std::chrono::nanoseconds{1}) / window) + 1);
}

/// The last window is what comes after the planned end.
window_figures& load_figures::window_at(base::steady_time now) noexcept {
    const auto index = now < begin_ ? 0 : static_cast<std::size_t>((now - begin_) / window_);
    return windows_[now >= end_ ? windows_.size() - 1 : std::min(index, windows_.size() - 1)];
}

void load_figures::plan(base::steady_time planned, base::steady_time now) {
    ++window_at(planned).planned;
    if (measured(planned)) {
        lateness_.record(micros_between(planned, now));
    }
}

void load_figures::token(std::size_t kind, base::steady_time planned, std::int64_t delay_us, base::steady_time now) {
    window_at(now).delay.record(delay_us);
    if (measured(planned)) {
        kinds_[kind].delay.record(delay_us);
    }
}

void load_figures::content(std::size_t kind, base::steady_time planned, bool first, std::int64_t us,
                           base::steady_time now) {
    ++window_at(now).events;
    if (measured(planned)) {
        (first ? kinds_[kind].first : kinds_[kind].gap).record(us);
    }
}

void load_figures::end(const load_sample& s) {
    const bool good = s.what == outcome::succeeded || s.what == outcome::left;
    window_figures& window = window_at(s.done);
    ++(good ? window.succeeded : window.failed);
    if (s.what == outcome::succeeded) {
        window.total.record(micros_between(s.planned, s.done));
    }
    if (!measured(s.planned)) {
        return;
    }
    kind_figures& kind = kinds_[s.kind];
    ++kind.ended[static_cast<std::size_t>(s.what)];
    if (s.status != 0) {
        ++kind.statuses[s.status];
    }
    kind.events += s.events;
    kind.bytes += s.bytes;
    kind.lost += s.lost;
    kind.duplicated += s.duplicated;
    kind.reordered += s.reordered;
    if (s.what == outcome::succeeded) {
        kind.total.record(micros_between(s.planned, s.done));
        kind.service.record(micros_between(s.sent, s.done));
    }
}

void load_figures::merge(const load_figures& other) {
    for (std::size_t i = 0; i < kinds_.size(); ++i) {
        kinds_[i].merge(other.kinds_[i]);
    }
    for (std::size_t i = 0; i < windows_.size(); ++i) {
        windows_[i].merge(other.windows_[i]);
    }
    lateness_.merge(other.lateness_);
    starved_ += other.starved_;
    sent_ += other.sent_;
    reconnects_ += other.reconnects_;
}

kind_figures load_figures::all() const {
    kind_figures sum;
    for (const kind_figures& kind : kinds_) {
        sum.merge(kind);
    }
    return sum;
}

}  // namespace concurred::bench
