#include "upstream/circuit_breaker.hpp"

#include <algorithm>

namespace concurred::upstream {

using base::steady_time;
using std::chrono::milliseconds;

std::string_view text_of(circuit_breaker::state s) noexcept {
    switch (s) {
        case circuit_breaker::state::closed:
            return "closed";
        case circuit_breaker::state::half_open:
            return "half_open";
        case circuit_breaker::state::open:
            break;
    }
    return "open";
}

circuit_breaker::permit circuit_breaker::ask(steady_time now) noexcept {
    if (!tripped_) {
        return {true, false, generation_};
    }
    if (!would_grant(now)) {
        return {};
    }
    ++generation_;  // of a probe that was lost nothing is heard any more
    probing_ = true;
    probe_expires_ = now + cooldown_;
    return {true, true, generation_};
}

bool circuit_breaker::would_grant(steady_time now) const noexcept {
    return !tripped_ || (now >= open_until_ && (!probing_ || now >= probe_expires_));
}

void circuit_breaker::succeeded(permit p, steady_time now) noexcept {
    if (!current(p)) {
        return;
    }
    if (p.probe) {
        close();
        return;
    }
    in_a_row_ = 0;
    last_success_ = now;
    cooldown_ = policy_.cooldown;
    count(false, now);
}

void circuit_breaker::failed(permit p, steady_time now, milliseconds wait) noexcept {
    if (!current(p) || policy_.failures == 0) {
        return;
    }
    if (p.probe) {
        cooldown_ = std::min(2 * cooldown_, policy_.max_cooldown);
        open(now, wait);
        return;
    }
    ++in_a_row_;
    count(true, now);
    const bool long_row =
        in_a_row_ >= policy_.failures && (last_success_ == steady_time() || now - last_success_ >= policy_.grace);
    if (long_row || too_many()) {
        open(now, wait);
    }
}

void circuit_breaker::said_nothing(permit p) noexcept {
    if (current(p) && p.probe) {
        probing_ = false;
    }
}

circuit_breaker::state circuit_breaker::state_at(steady_time now) const noexcept {
    if (!tripped_) {
        return state::closed;
    }
    return now >= open_until_ ? state::half_open : state::open;
}

milliseconds circuit_breaker::reopens_in(steady_time now) const noexcept {
    return state_at(now) == state::open ? std::chrono::ceil<milliseconds>(open_until_ - now) : milliseconds(0);
}

void circuit_breaker::count(bool failure, steady_time now) noexcept {
    if (now - window_began_ >= policy_.window) {
        before_ = now - window_began_ < 2 * policy_.window ? now_ : tally{};
        now_ = {};
        window_began_ = now;
    }
    ++now_.total;
    now_.failed += failure ? 1 : 0;
}

bool circuit_breaker::too_many() const noexcept {
    const std::uint32_t failed = now_.failed + before_.failed;
    return failed >= 2 * policy_.failures && 5 * failed >= 4 * (now_.total + before_.total);
}

void circuit_breaker::open(steady_time now, milliseconds wait) noexcept {
    open_until_ = now + std::clamp(wait, cooldown_, std::max(cooldown_, policy_.max_cooldown));
    tripped_ = true;
    probing_ = false;
    ++generation_;
    ++openings_;
}

void circuit_breaker::close() noexcept {
    tripped_ = false;
    probing_ = false;
    ++generation_;
    now_ = {};
    before_ = {};
    // One success is not much: the next failure opens it again, and for longer.
    in_a_row_ = policy_.failures - 1;
    cooldown_ = std::min(2 * cooldown_, policy_.max_cooldown);
}

}  // namespace concurred::upstream
