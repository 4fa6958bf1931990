#pragma once

#include "auth/key_cache.hpp"
#include "auth/key_state.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace concurred::auth::test {

using std::chrono::milliseconds;

/// A cache with a clock set by hand. Without jitter, so that ages are round numbers; see the case on jitter.
struct key_cache_fixture {
    static constexpr base::wall_time epoch{milliseconds{1'758'000'000'000}};

    explicit key_cache_fixture(key_cache_params params = round_ages()) : cache(params, table) {}

    static key_cache_params round_ages() {
        key_cache_params params;
        params.capacity = 100;
        params.negative_capacity = 10;
        params.jitter_percent = 0;
        return params;
    }

    base::steady_time now() const { return base::steady_time{} + std::chrono::hours{1} + since; }
    base::wall_time wall() const { return epoch + since; }

    key_cache::lookup find(const crypto::digest256& key) { return cache.find(key, now(), wall()); }
    cache_state state(const crypto::digest256& key) { return find(key).state; }
    fill_ticket begin() { return cache.begin_fill(now()); }

    /// What a store says about a key when it is read now.
    principal read(std::string_view key_id = "key_1", std::int64_t expires_ms = 0, std::uint32_t rate_limit = 60) {
        return make_principal({.owner = "owner",
                               .key_id = key_id,
                               .rate_limit = rate_limit,
                               .expires_ms = expires_ms,
                               .verified_ms = base::unix_millis(wall())},
                              table.state_for(key_id))
            .value();
    }

    const principal* finish(const fill_ticket& ticket, const crypto::digest256& key, const principal& who) {
        return cache.finish_fill(ticket, key, who, now(), wall());
    }
    const principal* fill(const crypto::digest256& key, std::string_view key_id = "key_1") {
        const fill_ticket ticket = begin();
        return finish(ticket, key, read(key_id));
    }

    key_state_table table;
    key_cache cache;
    milliseconds since{0};
};

inline crypto::digest256 digest_of(std::uint8_t n) {
    crypto::digest256 key{};
    key[0] = n;
    return key;
}

}  // namespace concurred::auth::test
