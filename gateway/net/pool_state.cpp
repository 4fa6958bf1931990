#include "gateway/net/pool_state.hpp"

namespace concurred::net {

bool pool_state::too_old(slot id, base::steady_time now) const noexcept {
    const record& r = slots_[id];
    return now >= r.idle_since + limits_.keepalive || now >= r.opened + limits_.max_lifetime;
}

pool_state::slot pool_state::take_oldest_idle() {
    const slot id = idle_.front();
    idle_.erase(idle_.begin());
    return id;
}

// The one used last: it is the least likely to have been closed by its peer, and the surplus ages and goes.
pool_state::decision pool_state::pick_idle(base::steady_time now) {
    const slot id = idle_.back();
    idle_.pop_back();
    return {too_old(id, now) ? verdict::discard : verdict::reuse, id};
}

std::optional<pool_state::decision> pool_state::take_idle(base::steady_time now) {
    if (idle_.empty() || waiting_ != 0) {
        return std::nullopt;
    }
    return pick_idle(now);
}

pool_state::decision pool_state::acquire(base::steady_time now, bool fresh_only, bool in_line) {
    // Nobody overtakes those in line, or a busy pool would let some of them starve.
    if (waiting_ == 0 || in_line) {
        if (!fresh_only && !idle_.empty()) {
            return pick_idle(now);
        }
        if (!free_.empty()) {
            const slot id = free_.back();
            free_.pop_back();
            return {verdict::open, id};
        }
        if (slots_.size() < limits_.max_connections) {
            slots_.emplace_back();
            return {verdict::open, static_cast<slot>(slots_.size() - 1)};
        }
        if (!idle_.empty()) {
            return {verdict::open, take_oldest_idle()};
        }
    }
    return {in_line || waiting_ < limits_.max_waiters ? verdict::wait : verdict::refuse, 0};
}

void pool_state::opened(slot id, base::steady_time now) noexcept {
    slots_[id].opened = now;
}

void pool_state::closed(slot id) {
    free_.push_back(id);
}

bool pool_state::give_back(slot id, base::steady_time now) {
    if (now >= slots_[id].opened + limits_.max_lifetime) {
        return false;
    }
    slots_[id].idle_since = now;
    idle_.push_back(id);
    return true;
}

std::optional<pool_state::slot> pool_state::take_expired(base::steady_time now) {
    if (idle_.empty() || now < slots_[idle_.front()].idle_since + limits_.keepalive) {
        return std::nullopt;
    }
    return take_oldest_idle();
}

std::optional<pool_state::slot> pool_state::take_any_idle() {
    if (idle_.empty()) {
        return std::nullopt;
    }
    const slot id = idle_.back();
    idle_.pop_back();
    return id;
}

std::optional<base::steady_time> pool_state::next_expiry() const noexcept {
    if (idle_.empty()) {
        return std::nullopt;
    }
    return slots_[idle_.front()].idle_since + limits_.keepalive;
}

}  // namespace concurred::net
