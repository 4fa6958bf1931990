#include "storage/usage_ring.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <bit>
#include <cassert>
#include <cerrno>
#include <memory>
#include <type_traits>

namespace concurred::storage {

static_assert(std::is_trivially_copyable_v<base::usage_record> && std::is_trivially_destructible_v<base::usage_record>);

base::result<std::unique_ptr<usage_ring>> usage_ring::make(std::size_t capacity) {
    capacity = std::bit_ceil(std::max<std::size_t>(capacity, 2));
    const std::size_t bytes = capacity * sizeof(base::usage_record);
    void* memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) {
        const boost::system::error_code cause(errno, boost::system::system_category());
        return base::gateway_error(base::errc::internal, "no memory for the usage ring: " + cause.message(), cause);
    }
    // A huge page would make 2 MiB resident with the first record.
    (void)::madvise(memory, bytes, MADV_NOHUGEPAGE);
    return std::unique_ptr<usage_ring>(new usage_ring(static_cast<base::usage_record*>(memory), capacity));
}

usage_ring::usage_ring(base::usage_record* slots, std::size_t capacity) noexcept : slots_(slots), mask_(capacity - 1) {}

usage_ring::~usage_ring() {
    ::munmap(slots_, capacity() * sizeof(base::usage_record));
}

bool usage_ring::admit() noexcept {
    const std::size_t open = open_.load(std::memory_order_relaxed);
    const std::uint64_t settled = settled_.load(std::memory_order_relaxed);
    const auto taken = [&] { return open + static_cast<std::size_t>(settled - released_seen_); };
    if (taken() >= capacity()) {
        released_seen_ = released_.load(std::memory_order_acquire);
        if (taken() >= capacity()) {
            refused_.store(refused_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
            return false;
        }
    }
    open_.store(open + 1, std::memory_order_relaxed);
    return true;
}

void usage_ring::settle(const base::usage_record& record) noexcept {
    const std::size_t open = open_.load(std::memory_order_relaxed);
    assert(open > 0 && "settle without admit");
    if (open == 0) {
        return;  // writing could overwrite a record that is not stored yet
    }
    const std::uint64_t settled = settled_.load(std::memory_order_relaxed);
    released_seen_ = released_.load(std::memory_order_acquire);
    if (released_seen_ == settled) {
        // Empty, so the feed looks at nothing: start over in memory that is resident and likely in the cache. The feed
        // reads base_ only after it has seen a record settled later.
        base_ = settled;
    }
    std::construct_at(slots_ + ((settled - base_) & mask_), record);
    settled_.store(settled + 1, std::memory_order_release);
    open_.store(open - 1, std::memory_order_relaxed);
}

std::span<const base::usage_record> usage_ring::peek(std::size_t max) noexcept {
    const std::uint64_t released = released_.load(std::memory_order_relaxed);
    const auto ready = static_cast<std::size_t>(settled_.load(std::memory_order_acquire) - released);
    if (ready == 0) {
        return {slots_, 0};  // base_ is the sink's to change now
    }
    const std::size_t at = static_cast<std::size_t>(released - base_) & mask_;
    const std::size_t count = std::min({max, ready, capacity() - at});
    return {slots_ + at, count};
}

void usage_ring::release(std::size_t count) noexcept {
    // Release order: the sink must not write a slot before the reads of it are done.
    released_.store(released_.load(std::memory_order_relaxed) + count, std::memory_order_release);
}

std::size_t usage_ring::drain(std::vector<base::usage_record>& out, std::size_t max) {
    std::size_t moved = 0;
    while (moved < max) {
        const auto chunk = peek(max - moved);
        if (chunk.empty()) {
            break;
        }
        out.insert(out.end(), chunk.begin(), chunk.end());
        release(chunk.size());
        moved += chunk.size();
    }
    return moved;
}

std::size_t usage_ring::waiting() const noexcept {
    // This order: the other could see a record as released that it has not seen as settled.
    const std::uint64_t released = released_.load(std::memory_order_acquire);
    return static_cast<std::size_t>(settled_.load(std::memory_order_acquire) - released);
}

}  // namespace concurred::storage
