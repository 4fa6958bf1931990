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
    std::int64_t debt_us = 0;   ///< how much further than its capacity a correction may push it
    bool held = false;          ///< the cost is what the member of `place_charge` holds, until `settle`
};

/// A place among those who work at the same time, and with it what a request holds of other limits. Taken until it is
/// settled, or `lease` is over without renewal: then the money that was held comes back.
struct place_charge {
    std::string_view member;  ///< who takes it: unique to a request
    std::uint32_t limit = 0;  ///< places; 0: any number
    std::uint32_t floor = 0;  ///< at least so many others are taken: those of ours
    std::chrono::milliseconds lease{60'000};
    std::chrono::milliseconds keep{61'000};  ///< until Redis may forget the places: not before the money that is held
};

/// An amount that grows within a period, and what is wanted of it for a member; in units of `money_cell`.
struct money_charge {
    std::string_view name;  ///< of letters and digits; another one for each period
    std::uint64_t budget;
    std::uint64_t cost;
    std::uint64_t at_least;          ///< of the cost: less than this does not pass, else what is left is taken
    std::uint64_t floor;             ///< at least so much is spent, as we know
    std::chrono::milliseconds keep;  ///< until Redis may forget it
};

/// The answer about a bucket, or the places.
struct charge_answer {
    std::int64_t ahead_us = 0;  ///< of a bucket, after the decision; of places: how many are taken
    std::int64_t retry_us = 0;  ///< > 0: this one said no, and it would say yes after this
};

struct money_answer {
    std::uint64_t spent = 0;  ///< after the decision
    std::uint64_t taken = 0;  ///< 0: this one said no
};

struct charges_answer {
    bool allowed = false;
    std::uint32_t extra = 0;                                ///< extra units granted
    boost::container::small_vector<charge_answer, 4> each;  ///< buckets in their order
    charge_answer place;
    boost::container::small_vector<money_answer, 2> money;
};

/// A correction of what was charged.
struct bucket_adjustment {
    std::string_view name;
    std::int64_t delta_us;  ///< > 0: charged more, up to capacity and debt; < 0: given back, never below full
    std::int64_t most_us;   ///< capacity and debt together
};

/// What a request has used of a limit of which it held something.
struct charge_settlement {
    std::string_view name;
    bool money = false;
    std::int64_t used = 0;  ///< microseconds of a bucket, or units of money
    std::int64_t most = 0;  ///< of a bucket: capacity and debt together; of money: milliseconds to keep it
};

/// Limits that are counted in Redis: all that apply to one request in one step, all or nothing. By the clock of Redis.
/// Belongs to one shard.
class redis_limits {
public:
    /// @param redis outlives it
    explicit redis_limits(storage::redis_client& redis) : redis_(redis) {}

    [[nodiscard]] bool reachable() const noexcept { return redis_.up(); }

    /// Takes all that is asked, or nothing; what the member of `place` held before is given back in the same step.
    /// Completes within the command's deadline.
    /// @param owner whose limits: a key's id, or an owner's. It is the hash tag, so that all are in one slot
    /// @param buckets outlive the call, as do the texts in them, in `place` and in `money`
    /// @param extra units wanted beyond the costs, of the buckets with a `unit_us`; fewer may be granted
    /// @param place null: none, and nothing is held. Errors: nothing is known; it may have been taken.
    [[nodiscard]] base::task<boost::system::result<charges_answer, storage::redis_error>> take(
        std::string_view owner, std::span<const bucket_charge> buckets, std::uint32_t extra = 0,
        const place_charge* place = nullptr, std::span<const money_charge> money = {});

    /// Gives a place back, and corrects what was held with it to what was used. May be repeated: the second time it
    /// does nothing. @return whether Redis did it
    [[nodiscard]] base::task<bool> settle(std::string_view owner, std::string_view member,
                                          std::span<const charge_settlement> used);
    /// Gives members another lease, those that still have one. @return whether Redis did it
    [[nodiscard]] base::task<bool> renew(std::string_view owner, std::span<const std::string_view> members,
                                         std::chrono::milliseconds lease, std::chrono::milliseconds keep);
    /// Corrects what was taken. @return whether Redis did it
    [[nodiscard]] base::task<bool> adjust(std::string_view owner, std::span<const bucket_adjustment> buckets);

private:
    storage::redis_client& redis_;
};

}  // namespace concurred::auth
