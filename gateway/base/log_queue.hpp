#pragma once

#include <atomic>
#include <bit>
#include <cstddef>
#include <string>
#include <vector>

namespace concurred::base {

/// Blocks of log lines on their way from the shards to the writer's thread. Bounded; many may push, one may pop; nobody
/// waits. Blocks change hands by swapping, so that their memory goes round and is not allocated again.
/// After D. Vyukov's bounded queue: each slot carries the number of the push or pop that may use it next.
class log_queue {
public:
    /// \param blocks  capacity, rounded up to a power of two, at least 2
    explicit log_queue(std::size_t blocks) : slots_(std::bit_ceil(blocks < 2 ? 2 : blocks)), mask_(slots_.size() - 1) {
        for (std::size_t i = 0; i < slots_.size(); ++i) {
            slots_[i].turn.store(i, std::memory_order_relaxed);
        }
    }

    /// Takes `block` and leaves an empty one in its place. Any thread.
    /// \return false when the queue is full; `block` is as it was
    [[nodiscard]] bool push(std::string& block) noexcept {
        std::size_t at = tail_.load(std::memory_order_relaxed);
        for (;;) {
            slot& s = slots_[at & mask_];
            const std::size_t turn = s.turn.load(std::memory_order_acquire);
            if (turn == at) {
                if (tail_.compare_exchange_weak(at, at + 1, std::memory_order_relaxed)) {
                    s.block.swap(block);
                    s.turn.store(at + 1, std::memory_order_release);
                    return true;
                }
            } else if (turn < at) {
                return false;
            } else {
                at = tail_.load(std::memory_order_relaxed);
            }
        }
    }

    /// Fills `block` with the oldest block; what it held is cleared and its memory reused. One thread only.
    /// \return false when there is none; `block` is as it was
    [[nodiscard]] bool pop(std::string& block) noexcept {
        slot& s = slots_[head_ & mask_];
        if (s.turn.load(std::memory_order_acquire) != head_ + 1) {
            return false;
        }
        block.clear();
        s.block.swap(block);
        s.turn.store(head_ + slots_.size(), std::memory_order_release);
        ++head_;
        return true;
    }

    /// How many blocks were ever pushed. Any thread.
    [[nodiscard]] std::size_t pushed() const noexcept { return tail_.load(std::memory_order_acquire); }

private:
    struct slot {
        std::atomic<std::size_t> turn;
        std::string block;
    };

    std::vector<slot> slots_;
    std::size_t mask_;
    alignas(64) std::atomic<std::size_t> tail_{0};
    alignas(64) std::size_t head_ = 0;  ///< the popping thread's own
};

}  // namespace concurred::base
