#pragma once

#include "gateway/base/error.hpp"
#include "gateway/base/usage_record.hpp"
#include "storage/usage_sink.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace concurred::storage {

/// Usage records in memory between one shard (sink side) and the database thread (feed side). Wait-free on both sides.
/// A slot is taken at `admit` and given back at `release`, so admitted and waiting records together never exceed the
/// capacity. Holds what was not flushed only as long as the process lives.
class usage_ring final : public usage_queue {
public:
    /// @param capacity records, rounded up to a power of two. The memory is reserved at once (about 0.8 KiB each) but
    /// becomes resident only as slots are used for the first time.
    /// @returns an error when the address space cannot be reserved
    [[nodiscard]] static base::result<std::unique_ptr<usage_ring>> make(std::size_t capacity = 16'384);
    ~usage_ring() override;
    usage_ring(const usage_ring&) = delete;
    usage_ring& operator=(const usage_ring&) = delete;

    // Sink side: one thread at a time.
    [[nodiscard]] bool admit() noexcept override;
    void dispatch(const base::usage_record&, bool) noexcept override {}
    void settle(const base::usage_record& record) noexcept override;

    // Feed side: one thread at a time.
    [[nodiscard]] std::span<const base::usage_record> peek(std::size_t max) noexcept override;
    void release(std::size_t count) noexcept override;
    /// Moves at most `max` records to the end of `out`.
    /// @returns how many
    std::size_t drain(std::vector<base::usage_record>& out, std::size_t max);

    // From any thread.
    [[nodiscard]] std::size_t waiting() const noexcept override;
    /// Records admitted and not settled: requests under way.
    [[nodiscard]] std::size_t open() const noexcept { return open_.load(std::memory_order_relaxed); }
    [[nodiscard]] std::uint64_t refused() const noexcept override { return refused_.load(std::memory_order_relaxed); }
    [[nodiscard]] std::size_t capacity() const noexcept { return mask_ + 1; }

private:
    static constexpr std::size_t cache_line = 64;

    usage_ring(base::usage_record* slots, std::size_t capacity) noexcept;

    base::usage_record* const slots_;
    const std::size_t mask_;

    // Positions count records since the start. Each line is written by one side only.
    alignas(cache_line) std::atomic<std::uint64_t> settled_{0};  // sink: records in the ring since the start
    std::atomic<std::size_t> open_{0};                           // sink
    std::atomic<std::uint64_t> refused_{0};                      // sink
    std::uint64_t released_seen_ = 0;                            // sink: last value of released_ it has read
    std::uint64_t base_ = 0;  // sink, read by the feed while records wait: the position that lies in slots_[0]
    alignas(cache_line) std::atomic<std::uint64_t> released_{0};  // feed: records given back since the start
};

}  // namespace concurred::storage
