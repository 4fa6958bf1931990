#pragma once

#include "storage/redis_script.hpp"

namespace concurred::auth {

// What `redis_limits` runs in Redis. All go by the clock of Redis, read once. Every key is declared, and the keys of an
// owner share a hash tag.

/// Takes all of a request's charges, or nothing. KEYS and ARGV in the same order: first the places, then buckets, then
/// money. ARGV[1]: extra units wanted; then for each
///   places (2 keys: a sorted set of members by the end of their lease; a hash of what each holds):
///                          'p', member, limit (0: none), lease, floor, time to keep both in milliseconds
///   a bucket (1 key):      'b', name if the cost is held for the member, else '', capacity, cost, unit, floor, debt
///   money (1 key):         'm', name, budget, cost, the least that will do, floor, time to keep in milliseconds
/// Times are microseconds, money is in units of `money_cell`. A member that holds something already gives it back in
/// the same step. Returns {allowed, extra units}, then two numbers for each: ahead and retry of places and buckets,
/// spent and taken of money.
[[nodiscard]] const storage::redis_script& take_script();

/// Ends what a member holds: KEYS places, their hash, then what is corrected to ARGV. ARGV[1]: the member; then for
/// each of those 'b' or 'm', name, what was used, and the most a bucket can be ahead, or how long to keep an amount.
/// Does nothing when the member is not known (any more), so it may be sent twice. Returns whether it was known.
[[nodiscard]] const storage::redis_script& settle_script();

/// Corrects buckets by ARGV[2i-1], to at most ARGV[2i].
[[nodiscard]] const storage::redis_script& adjust_script();

/// Gives members another lease: KEYS places, their hash; ARGV lease in microseconds, time to keep in milliseconds,
/// members. Whose lease was over, and is gone, stays gone.
[[nodiscard]] const storage::redis_script& renew_script();

}  // namespace concurred::auth
