#include "gateway/base/timing_wheel.hpp"

#include <algorithm>

namespace concurred::base {

timing_wheel::timer::~timer() {
    if (link_ != nullptr) {
        wheel_->unlink(*this);
    }
}

void timing_wheel::timer::expires_at(steady_time deadline) noexcept {
    deadline_ = deadline;
    if (deadline == steady_time::max()) {
        return;
    }
    const std::int64_t due = wheel_->tick_of(deadline) + 1;
    if (link_ != nullptr) {
        if (slot_tick_ <= due) {
            return;  // looked at before the new deadline anyway: it moves on then
        }
        wheel_->unlink(*this);
    }
    wheel_->link(*this, due);
}

std::int64_t timing_wheel::tick_of(steady_time t) const noexcept {
    return (t - start_) / tick;
}

void timing_wheel::link(timer& t, std::int64_t due_tick) noexcept {
    const auto horizon = now_tick_ + static_cast<std::int64_t>(slots) - 1;
    t.slot_tick_ = std::clamp(due_tick, now_tick_ + 1, horizon);
    timer*& head = wheel_[static_cast<std::size_t>(t.slot_tick_) % slots];
    t.next_ = head;
    t.link_ = &head;
    if (head != nullptr) {
        head->link_ = &t.next_;
    }
    head = &t;
    ++size_;
}

void timing_wheel::unlink(timer& t) noexcept {
    *t.link_ = t.next_;
    if (t.next_ != nullptr) {
        t.next_->link_ = t.link_;
    }
    t.link_ = nullptr;
    t.next_ = nullptr;
    t.slot_tick_ = -1;
    --size_;
}

void timing_wheel::advance(steady_time now) {
    const std::int64_t until = tick_of(now);
    if (size_ == 0) {
        now_tick_ = std::max(now_tick_, until);
        return;
    }
    // After a long pause every slot is visited once at most.
    std::int64_t visit = std::max(now_tick_ + 1, until - static_cast<std::int64_t>(slots) + 1);
    for (; visit <= until; ++visit) {
        now_tick_ = visit;
        timer*& head = wheel_[static_cast<std::size_t>(visit) % slots];
        // Taken off one by one: an action may destroy or relink any other timer of this slot.
        timer* pending = head;
        head = nullptr;
        if (pending != nullptr) {
            pending->link_ = &pending;
        }
        while (pending != nullptr) {
            timer& t = *pending;
            unlink(t);
            if (!t.armed()) {
                continue;
            }
            if (t.deadline_ > now) {
                link(t, tick_of(t.deadline_) + 1);
                continue;
            }
            t.deadline_ = steady_time::max();
            t.run_(t.context_);
        }
    }
}

}  // namespace concurred::base
