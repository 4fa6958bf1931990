#pragma once

#include "gateway/base/usage_record.hpp"

#include <cstddef>
#include <cstdint>
#include <span>

namespace concurred::storage {

/// Where the request path leaves its usage records: one per shard, used on that shard only. Every successful `admit` is
/// followed by exactly one `settle`. None of the calls blocks, locks, allocates or enters the kernel.
class usage_sink {
public:
    virtual ~usage_sink() = default;

    /// Makes room for what a request leaves, so that the calls that follow cannot fail.
    /// @returns false when there is no room: neither dispatch nor settle it
    [[nodiscard]] virtual bool admit() noexcept = 0;

    /// Before a provider is asked: notes the record as it is to be booked if the process dies before `settle`.
    /// @param again it was noted before, and this replaces it: another provider is asked instead
    virtual void dispatch(const base::usage_record& record, bool again) noexcept = 0;

    /// Hands over the finished record of an admitted request. Cannot fail; may be called from a destructor.
    virtual void settle(const base::usage_record& record) noexcept = 0;

    /// Admissions refused for want of room. From any thread.
    [[nodiscard]] virtual std::uint64_t refused() const noexcept = 0;
};

/// The other end: where the flusher takes settled records from, on its own thread.
class usage_feed {
public:
    virtual ~usage_feed() = default;

    /// The oldest records not released yet, at most `max`. Fewer, though more wait, where they do not lie side by side.
    /// @returns a view that is valid until `release`; empty when nothing waits
    [[nodiscard]] virtual std::span<const base::usage_record> peek(std::size_t max) = 0;

    /// Forgets the `count` oldest records, which are now stored.
    /// @param count at most as many as the last `peek` returned
    virtual void release(std::size_t count) = 0;

    /// Settled records not released yet; of a dead process's spool at least 1 until it is finished. From any thread.
    [[nodiscard]] virtual std::size_t waiting() const noexcept = 0;

    /// Whether nothing will ever come any more.
    [[nodiscard]] virtual bool finished() const noexcept { return false; }
};

/// Both ends of one shard's records.
class usage_queue : public usage_sink, public usage_feed {};

}  // namespace concurred::storage
