#pragma once

#include <cstdint>

namespace concurred::base {

/// What is counted of Redis, of limits shared by it, and of changes of keys heard by it. Not shown where Redis is not
/// configured.
struct redis_metrics {
    bool used = false;
    std::int64_t connected = 0;  ///< shards with a connection that answers
    std::uint64_t connects = 0;  ///< connections made
    std::uint64_t answered = 0;  ///< commands by outcome
    std::uint64_t timed_out = 0;
    std::uint64_t lost = 0;
    std::uint64_t refused = 0;
    std::uint64_t errors = 0;

    bool limits_shared = false;
    std::uint64_t limits_asked = 0;  ///< decisions by who made them
    std::uint64_t limits_held = 0;
    std::uint64_t limits_remembered = 0;
    std::uint64_t limits_alone = 0;
    std::uint64_t slice_units_taken = 0;
    std::uint64_t slice_units_returned = 0;
    std::uint64_t stranded_percent = 0;  ///< the most of a limit that can lie in slices unused

    std::int64_t subscribed = 0;  ///< whether messages arrive
    std::uint64_t changes_announced = 0;
    std::uint64_t changes_delayed = 0;
    std::uint64_t changes_heard = 0;
    std::uint64_t cache_flushes = 0;

    void merge(const redis_metrics& other) noexcept {
        used = used || other.used;
        connected += other.connected;
        connects += other.connects;
        answered += other.answered;
        timed_out += other.timed_out;
        lost += other.lost;
        refused += other.refused;
        errors += other.errors;
        limits_shared = limits_shared || other.limits_shared;
        limits_asked += other.limits_asked;
        limits_held += other.limits_held;
        limits_remembered += other.limits_remembered;
        limits_alone += other.limits_alone;
        slice_units_taken += other.slice_units_taken;
        slice_units_returned += other.slice_units_returned;
        stranded_percent = other.used ? other.stranded_percent : stranded_percent;
        subscribed += other.subscribed;
        changes_announced += other.changes_announced;
        changes_delayed += other.changes_delayed;
        changes_heard += other.changes_heard;
        cache_flushes += other.cache_flushes;
    }
};

}  // namespace concurred::base
