#include "auth/key_cache.hpp"

#include "auth/key_state.hpp"

#include <algorithm>

namespace concurred::auth {

namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

/// The `per_mille` of this key: 1000 +- 10 * percent. From bytes of the digest that its place in the map does not
/// depend on.
std::int64_t stretch(const crypto::digest256& key, unsigned percent) noexcept {
    const std::int64_t range = 10 * static_cast<std::int64_t>(std::min(percent, 50U));
    const std::int64_t bits = key[30] << 8 | key[31];
    return 1000 - range + bits * (2 * range + 1) / 65'536;
}

}  // namespace

cache_state state_at_age(const key_cache_params& params, nanoseconds verified_age, nanoseconds read_age,
                         std::int64_t per_mille) noexcept {
    if (verified_age >= params.hard_bound) {
        return cache_state::miss;
    }
    const auto reached = [per_mille](nanoseconds age, nanoseconds bound) { return age >= bound * per_mille / 1000; };
    const bool rereads = params.reread.count() != 0;
    if (reached(verified_age, params.fresh + params.grace) || (rereads && reached(read_age, params.reread))) {
        return cache_state::stale_usable_only_on_error;
    }
    if (reached(verified_age, params.refresh_ahead) || (rereads && reached(read_age, params.reread_ahead))) {
        return cache_state::refresh_ahead;
    }
    return cache_state::fresh;
}

key_cache::key_cache(const key_cache_params& params, const key_state_table& states)
    : params_(params),
      states_(states),
      entries_(params.capacity, params.seed),
      negatives_(params.negative_capacity, params.seed) {}

key_cache::lookup key_cache::find(const crypto::digest256& key, base::steady_time now, base::wall_time wall) noexcept {
    entry* found = entries_.find(key);
    if (found == nullptr) {
        return find_negative(key, now);
    }
    cache_state state =
        state_at_age(params_, now - found->verified_at, now - found->read_at, stretch(key, params_.jitter_percent));
    if (state == cache_state::miss || found->who.generation != found->who.state->generation()) {
        entries_.erase(key);
        return {cache_state::miss, nullptr};
    }
    const bool usable = state != cache_state::stale_usable_only_on_error;
    if (found->who.expired(wall)) {
        // As long as the rest of what is known may be used, so may this. Afterwards somebody may have moved the date.
        return {usable ? cache_state::negative : cache_state::miss, nullptr, key_status::expired};
    }
    if (!usable && now < found->excused_until) {
        state = cache_state::refresh_ahead;
    }
    if (state == cache_state::refresh_ahead) {
        if (now < found->refresh_again_at) {
            state = cache_state::fresh;
        } else {
            found->refresh_again_at = now + params_.refresh_retry;
        }
    }
    return {state, &found->who};
}

key_cache::lookup key_cache::find_negative(const crypto::digest256& key, base::steady_time now) noexcept {
    const negative* found = negatives_.find(key);
    if (found == nullptr) {
        return {cache_state::miss, nullptr};
    }
    const bool exists = found->why != key_status::not_found;
    if (now >= found->until || (exists && found->generation != states_.unseen_epoch())) {
        negatives_.erase(key);
        return {cache_state::miss, nullptr};
    }
    return {cache_state::negative, nullptr, found->why};
}

fill_ticket key_cache::begin_fill(base::steady_time now) const noexcept {
    return {states_.epoch(), now};
}

const principal* key_cache::finish_fill(const fill_ticket& ticket, const crypto::digest256& key, principal who,
                                        base::steady_time now, base::wall_time wall) noexcept {
    who.generation = who.state->generation();
    if (who.generation > ticket.epoch) {
        return nullptr;
    }
    negatives_.erase(key);
    const entry* there = entries_.find(key);
    if (there != nullptr && there->who.generation == who.generation && there->read_at > ticket.began) {
        return &there->who;  // a later fill was faster
    }
    // The age comes along from the other layers; a clock that runs ahead over there must not make it younger than new.
    const milliseconds age{std::clamp(base::unix_millis(wall) - who.verified_ms, std::int64_t{0},
                                      static_cast<std::int64_t>(params_.hard_bound.count()))};
    const auto began = std::min(ticket.began, now);
    return &entries_
                .store(key, {who, std::min(now - age, now), began, base::steady_time::min(), base::steady_time::min()})
                .who;
}

void key_cache::fill_failed(const crypto::digest256& key, base::steady_time now) noexcept {
    if (entry* there = entries_.find(key); there != nullptr) {
        // Long enough for the next refresh to be handed out and to fail as well.
        there->excused_until = now + 3 * params_.refresh_retry;
    }
}

bool key_cache::finish_negative(const fill_ticket& ticket, const crypto::digest256& key, key_status why) noexcept {
    const std::uint64_t generation = states_.unseen_epoch();
    if (generation > ticket.epoch) {
        return false;
    }
    const entry* there = entries_.find(key);
    if (there != nullptr && there->read_at > ticket.began) {
        return true;  // a later fill was faster and found the key good
    }
    entries_.erase(key);
    const nanoseconds lifetime = nanoseconds(params_.negative) * stretch(key, params_.jitter_percent) / 1000;
    negatives_.store(key, {ticket.began + lifetime, generation, why});
    return true;
}

}  // namespace concurred::auth
