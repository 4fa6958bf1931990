#include "auth/service_breaker.hpp"

#include <algorithm>

namespace concurred::auth {

namespace {

using std::chrono::milliseconds;

constexpr std::uint32_t least_calls = 20;
constexpr milliseconds first_pause{1'000};
constexpr milliseconds longest_pause{10'000};
constexpr milliseconds longest_asked_pause{60'000};
// A probe that nobody reports on, because its caller went away, must not keep all others out.
constexpr milliseconds probe_time{5'000};

}  // namespace

service_breaker::verdict service_breaker::ask(base::steady_time now) noexcept {
    if (!open_) {
        return verdict::call;
    }
    if (now < probe_at_) {
        return verdict::refuse;
    }
    probing_ = true;
    probe_at_ = now + probe_time;
    return verdict::call;
}

service_breaker::second& service_breaker::count(base::steady_time now) noexcept {
    const auto number = std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count();
    second& slot = seconds_[static_cast<std::size_t>(number) % seconds_.size()];
    if (slot.number != number) {
        slot = {.number = number};
    }
    ++slot.calls;
    return slot;
}

void service_breaker::succeeded(base::steady_time now) noexcept {
    if (open_) {
        open_ = probing_ = false;
        next_pause_ = first_pause;
        seconds_ = {};
    }
    count(now);
}

void service_breaker::failed(base::steady_time now, milliseconds pause) noexcept {
    if (open_ && !probing_ && pause.count() == 0) {
        return;  // a call from before
    }
    if (open_) {
        next_pause_ = std::min(2 * next_pause_, longest_pause);
        trip(now, pause);
        return;
    }
    const second latest = [&] {
        second& slot = count(now);
        ++slot.failures;
        return slot;
    }();
    std::uint32_t calls = 0;
    std::uint32_t failures = 0;
    for (const second& one : seconds_) {
        if (latest.number - one.number < static_cast<std::int64_t>(seconds_.size())) {
            calls += one.calls;
            failures += one.failures;
        }
    }
    if (pause.count() > 0 || (calls >= least_calls && 2 * failures >= calls)) {
        trip(now, pause);
    }
}

void service_breaker::trip(base::steady_time now, milliseconds pause) noexcept {
    open_ = true;
    probing_ = false;
    probe_at_ = now + std::clamp(pause, next_pause_, longest_asked_pause);
}

milliseconds service_breaker::wait(base::steady_time now) const noexcept {
    return open_ ? std::max(std::chrono::duration_cast<milliseconds>(probe_at_ - now), milliseconds{0})
                 : milliseconds{0};
}

}  // namespace concurred::auth
