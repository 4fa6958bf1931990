#pragma once

#include "gateway/base/usage_record.hpp"
#include "storage/usage_chunk.hpp"

#include <cstddef>

namespace concurred::storage {

/// Where the request path leaves its usage records: one per shard, used on that shard only. Every successful `admit` is
/// followed by exactly one `settle`. Neither blocks, locks or allocates.
class usage_sink {
public:
    virtual ~usage_sink() = default;

    /// Before anything is spent for a request: makes room for its record, so that `settle` cannot fail.
    /// @param record what is known at admission; `id` ties it to the one that is settled
    /// @returns false when there is no room: refuse the request with 503, and do not settle it
    [[nodiscard]] virtual bool admit(const base::usage_record& record) noexcept = 0;

    /// Hands over the finished record of an admitted request. Cannot fail; may be called from a destructor.
    virtual void settle(const base::usage_record& record) noexcept = 0;
};

/// The other end: where the flusher takes settled records from, on its own thread.
class usage_feed {
public:
    virtual ~usage_feed() = default;

    /// The oldest records not released yet, at most `max`. Fewer, though more wait, where they do not lie side by side.
    /// @returns a view that is valid until `release`; empty when nothing waits
    [[nodiscard]] virtual usage_chunk peek(std::size_t max) noexcept = 0;

    /// Forgets the `count` oldest records, which are now stored.
    /// @param count at most as many as the last `peek` returned
    virtual void release(std::size_t count) noexcept = 0;

    /// Settled records not released yet. From any thread.
    [[nodiscard]] virtual std::size_t waiting() const noexcept = 0;
};

}  // namespace concurred::storage
