#pragma once

#include "gateway/base/executor.hpp"
#include "storage/redis_client.hpp"

#include <boost/container/small_vector.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace concurred::auth {

/// A bucket in Redis, and what is wanted of it. Everything is time (GCRA): a cost is the time that it takes to refill,
/// `cost * window / limit`, computed by the caller and rounded once. Source: identity.md 4.1, 4.4.
struct bucket_charge {
    std::string_view name;      ///< of the limit, among those of its owner: "rpm", "tpm"
    std::int64_t capacity_us;   ///< how far ahead of now the bucket may be when it has given all
    std::int64_t cost_us;       ///< 0: only look
    std::int64_t unit_us = 0;   ///< not 0: what each of the extra units costs here
    std::int64_t floor_us = 0;  ///< the bucket is at least this far ahead: what we know ourselves to have taken
    std::int64_t debt_us = 0;   ///< how much further than its capacity `adjust` may push it
};

/// A place among those who work at the same time. Taken until it is given back, or `lease` is over without renewal.
struct place_charge {
    std::string_view name;    ///< "conc"
    std::uint32_t limit = 0;  ///< places
    std::string_view member;  ///< who takes it: a request id
    std::chrono::milliseconds lease{60'000};
};

/// The answer about one of them.
struct charge_answer {
    std::int64_t ahead_us = 0;  ///< of a bucket, after the decision; of places: how many are taken
    std::int64_t retry_us = 0;  ///< > 0: this one said no, and it would say yes after this
};

struct charges_answer {
    bool allowed = false;
    std::uint32_t extra = 0;                                ///< extra units granted
    boost::container::small_vector<charge_answer, 4> each;  ///< buckets in their order, then the places
};

/// A correction of what was charged.
struct bucket_adjustment {
    std::string_view name;
    std::int64_t delta_us;  ///< > 0: charged more, up to capacity and debt; < 0: given back, never below full
    std::int64_t most_us;   ///< capacity and debt together
};

/// Limits that are counted in Redis: all that apply to one request in one step, all or nothing. By the clock of Redis.
/// Belongs to one shard.
class redis_limits {
public:
    /// @param redis outlives it
    explicit redis_limits(storage::redis_client& redis) : redis_(redis) {}

    [[nodiscard]] bool reachable() const noexcept { return redis_.up(); }

    /// Takes all that is asked, or nothing. Completes within the command's deadline.
    /// @param owner whose limits: a key's id, or an owner's. It is the hash tag, so that all are in one slot
    /// @param buckets outlive the call, as do the texts in them and in `place`
    /// @param extra units wanted beyond the costs, of the buckets with a `unit_us`; fewer may be granted
    /// @param place null: none. Errors: nothing is known; it may have been taken.
    [[nodiscard]] base::task<boost::system::result<charges_answer, storage::redis_error>> take(
        std::string_view owner, std::span<const bucket_charge> buckets, std::uint32_t extra = 0,
        const place_charge* place = nullptr);

    /// Corrects what was taken. @return whether Redis did it
    [[nodiscard]] base::task<bool> adjust(std::string_view owner, std::span<const bucket_adjustment> buckets);
    /// Gives a place back, or with `renew` keeps it for another lease.
    [[nodiscard]] base::task<bool> release(std::string_view owner, place_charge place, bool renew = false);

private:
    storage::redis_client& redis_;
};

}  // namespace concurred::auth
