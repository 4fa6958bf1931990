#include "upstream/retry_policy.hpp"

#include <algorithm>

namespace concurred::upstream {

using std::chrono::milliseconds;

namespace {

// Half of it is certain, the other half by dice: waits differ, and none is near zero.
milliseconds backoff_of(const retry_question& q) noexcept {
    const milliseconds full = std::min(q.backoff * (1U << std::min(q.repeats, 10U)), longest_backoff);
    return full / 2 + milliseconds(static_cast<std::int64_t>(static_cast<double>((full / 2).count()) * q.dice));
}

// A provider that tells when to come back gets its time in full, and a tenth more by dice: many were told the same.
milliseconds asked_wait(const retry_question& q) noexcept {
    return q.asked + milliseconds(static_cast<std::int64_t>(static_cast<double>(q.asked.count()) * q.dice / 10));
}

}  // namespace

retry_decision decide_retry(const retry_question& q) noexcept {
    const retry_decision otherwise{q.other_target ? retry_step::next_target : retry_step::give_up};
    if (q.fault == blame::request) {
        return {retry_step::give_up};
    }
    if (q.fault == blame::nobody) {
        // We have no connection to spare there, and have waited for one. Or nobody waits for an answer any more.
        return q.repeatable ? otherwise : retry_decision{};
    }
    if (q.repeats >= q.allowed || q.fault == blame::model) {
        return otherwise;
    }
    if (q.fault == blame::key && q.other_key) {
        return {retry_step::repeat};
    }
    if (!q.repeatable || q.money || q.open) {
        return otherwise;
    }
    const milliseconds wait = q.asked.count() > 0 ? asked_wait(q) : backoff_of(q);
    if (wait >= q.left || (q.other_target && wait > patience_with_alternative)) {
        return otherwise;
    }
    return {retry_step::repeat, wait};
}

}  // namespace concurred::upstream
