#pragma once

#include "auth/clock_map.hpp"
#include "auth/key_answer.hpp"
#include "auth/principal.hpp"
#include "crypto/digest.hpp"
#include "gateway/base/clock.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace concurred::auth {

class key_state;
class key_state_table;

/// Bounds and ages of a key cache. All ages but `hard_bound` are stretched by `jitter_percent`, each key by its own
/// amount, so that keys first seen together are not read again together. Source: identity.md 2.2.
struct key_cache_params {
    std::size_t capacity = 100'000;  ///< keys known to be good
    std::size_t negative_capacity =
        10'000;  ///< keys known to be bad; apart, so that guessing cannot push good ones out

    // Since the entry was last read from the next layer (Redis, or the local store).
    std::chrono::milliseconds reread_ahead{7'500};
    std::chrono::milliseconds reread{
        10'000};  ///< 0: the next layer is the key service itself; only the ages below count

    // Since the key was verified at its source, however many caches the answer has come through.
    std::chrono::milliseconds refresh_ahead{45'000};
    std::chrono::milliseconds fresh{60'000};
    std::chrono::milliseconds grace{15'000};        ///< beyond `fresh`: still used while it is being refreshed
    std::chrono::milliseconds hard_bound{600'000};  ///< beyond it the entry is gone, even when nobody can be asked

    std::chrono::milliseconds negative{10'000};      ///< how long a key stays known to be bad
    std::chrono::milliseconds refresh_retry{2'000};  ///< between two background refreshes of one key
    unsigned jitter_percent = 10;                    ///< 0 ... 50
    std::uint64_t seed = 0;                          ///< random, per process
};

/// How far what is known about a key may be trusted.
enum class cache_state : std::uint8_t {
    fresh,
    refresh_ahead,  ///< use it, and start one refresh in the background: this answer is given once per refresh
    stale_usable_only_on_error,  ///< ask the next layer first; use it only if that cannot answer
    miss,                        ///< nothing is known
    negative,                    ///< known not to be valid
};

/// The state that ages alone give.
/// @param verified_age since verification at the source, >= 0. @param read_age since the entry was read from the next
/// layer, >= 0. @param per_mille stretches all bounds but the hard one, which is a promise.
[[nodiscard]] cache_state state_at_age(const key_cache_params& params, std::chrono::nanoseconds verified_age,
                                       std::chrono::nanoseconds read_age, std::int64_t per_mille = 1000) noexcept;

/// When and before which revocations somebody began to ask about a key.
struct fill_ticket {
    std::uint64_t epoch;
    base::steady_time began;
};

/// What one shard knows about keys, by SHA-256 of the full key. Bounded; looking up never allocates. Belongs to one
/// shard; what is shared with the others goes through `key_state`.
///
/// A fill goes: `begin_fill`, ask the next layer, `finish_fill` or `finish_negative`. When the finish is refused, the
/// key was changed meanwhile and the answer in hand may be the old one: ask again.
class key_cache {
public:
    struct lookup {
        cache_state state;
        const principal* who;  ///< null for miss and negative; valid until the next call to the cache: copy it
        key_status why = key_status::not_found;  ///< for negative
    };

    /// @param states outlives the cache.
    key_cache(const key_cache_params& params, const key_state_table& states);

    /// @param now and @param wall of the same moment: ages are monotonic, expiry is by the calendar.
    [[nodiscard]] lookup find(const crypto::digest256& key, base::steady_time now, base::wall_time wall) noexcept;

    /// To be called before the next layer is asked.
    [[nodiscard]] fill_ticket begin_fill(base::steady_time now) const noexcept;

    /// Keeps what the next layer said about a good key.
    /// @return the kept principal, with its generation; null when the key was changed after the fill began.
    const principal* finish_fill(const fill_ticket& ticket, const crypto::digest256& key, principal who,
                                 base::steady_time now, base::wall_time wall) noexcept;

    /// Keeps for a short time that a key is not valid. Only for answers about the key, never for failures.
    /// What is kept of a key that exists (disabled, expired) ends with the next change of any key, so that enabling it
    /// counts at once. No state is made for it: the time of a refusal would tell that the key exists.
    /// @return false when keys were changed after the fill began.
    bool finish_negative(const fill_ticket& ticket, const crypto::digest256& key,
                         key_status why = key_status::not_found) noexcept;

    /// The next layer could not answer. For a moment an entry that is past its time is used without asking again, and
    /// asked for in the background: nobody waits for a service that is down. Not beyond the hard bound, and not after a
    /// change.
    void fill_failed(const crypto::digest256& key, base::steady_time now) noexcept;

    /// Forgets that a key is bad: for the path that has just created it.
    void forget_negative(const crypto::digest256& key) noexcept { negatives_.erase(key); }

    [[nodiscard]] std::size_t size() const noexcept { return entries_.size(); }
    [[nodiscard]] std::size_t negative_size() const noexcept { return negatives_.size(); }

private:
    struct entry {
        principal who;
        base::steady_time verified_at;
        base::steady_time read_at;
        base::steady_time refresh_again_at;  // a refresh handed out is not handed out again before
        base::steady_time excused_until;     // the next layer is down: stale is good enough
    };
    struct negative {
        base::steady_time until;
        std::uint64_t generation;  // of all keys without a state
        key_status why;
    };

    [[nodiscard]] lookup find_negative(const crypto::digest256& key, base::steady_time now) noexcept;

    key_cache_params params_;
    const key_state_table& states_;
    clock_map<entry> entries_;
    clock_map<negative> negatives_;
};

}  // namespace concurred::auth
