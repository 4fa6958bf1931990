#include "gateway/app/shared_services.hpp"

#include <utility>

namespace concurred::app {

shared_services::shared_services(base::executor ex, shared_state& shared, unsigned number, base::logger& log)
    : shared_(shared), reporter_(log) {
    if (shared.redis == nullptr) {
        return;
    }
    storage::redis_settings settings = shared.redis->settings;
    settings.seed += number;
    redis_.emplace(ex, std::move(settings), reporter_.observer());
    const base::limits_config& limits = shared.settings->limits;
    if (limits.mode != "local") {
        limiter_.emplace(ex, shared.limiter, *redis_,
                         limits.mode == "strict" ? auth::limit_mode::strict : auth::limit_mode::leased,
                         limits.replicas);
        spend_.emplace(ex, *limiter_, *redis_, limits.replicas);
    }
    bus_.emplace(ex, *redis_, shared.key_states, log, number == 0);
}

void shared_services::start() {
    if (redis_) {
        redis_->start();
        bus_->start();
    }
    if (limiter_) {
        limiter_->start();
        spend_->start();
    }
}

base::task<> shared_services::close() {
    if (limiter_) {
        co_await spend_->close();
        co_await limiter_->close();
    }
    if (redis_) {
        bus_->stop();
        redis_->stop();
    }
}

void shared_services::report_state() noexcept {
    const bool up = redis_ && redis_->up();
    if (up != std::exchange(reported_up_, up)) {
        shared_.redis_up.fetch_add(up ? 1 : -1, std::memory_order_relaxed);
    }
}

base::redis_metrics shared_services::counts() const noexcept {
    base::redis_metrics m;
    if (!redis_) {
        return m;
    }
    const storage::redis_counters& redis = redis_->counters();
    m.used = true;
    m.connected = redis_->up() ? 1 : 0;
    m.connects = redis.connects;
    m.answered = redis.replies;
    m.timed_out = redis.timed_out;
    m.lost = redis.lost;
    m.refused = redis.refused;
    m.errors = redis.errors;
    if (limiter_) {
        const auth::shared_limit_counters& limits = limiter_->counters();
        m.limits_shared = true;
        m.limits_asked = limits.asked + spend_->asked();
        m.limits_held = limits.held;
        m.limits_remembered = limits.remembered + spend_->remembered();
        m.limits_alone = limits.alone + spend_->alone();
        m.slice_units_taken = limits.units_taken;
        m.slice_units_returned = limits.units_returned;
        m.stranded_percent = shared_.settings->limits.mode == "leased" ? 10 : 0;
    }
    const auth::revocation_counters& changes = bus_->counters();
    m.subscribed = bus_->subscribed() ? 1 : 0;
    m.changes_announced = changes.announced;
    m.changes_delayed = changes.delayed;
    m.changes_heard = changes.received;
    m.cache_flushes = changes.flushes;
    return m;
}

}  // namespace concurred::app
