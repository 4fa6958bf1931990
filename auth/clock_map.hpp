#pragma once

#include "crypto/digest.hpp"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <utility>
#include <vector>

namespace concurred::auth {

/// A map from digests to values with a fixed bound. When full, the CLOCK hand takes out an entry that has not been used
/// since it last came by. Memory is reserved at construction but touched only as entries come; finding, storing and
/// erasing never allocate. Belongs to one shard.
template <class Value>
class clock_map {
public:
    /// @param capacity 1 ... 2^30 entries.
    /// @param seed random for the process: digests of keys that an attacker has picked must not fall on one spot.
    clock_map(std::size_t capacity, std::uint64_t seed)
        : capacity_(std::clamp(capacity, std::size_t{1}, std::size_t{1} << 30)),
          mask_(std::bit_ceil(capacity_ * 2) - 1),
          seed_(seed),
          // calloc: large blocks of zeros come from the system untouched, so an idle process does not pay for the
          // bound.
          index_(static_cast<std::uint32_t*>(std::calloc(mask_ + 1, sizeof(std::uint32_t)))) {
        if (index_ == nullptr) {
            throw std::bad_alloc();
        }
        slots_.reserve(capacity_);
    }

    /// @return the value and marks it as used, or null. Valid until the next `store` or `erase`.
    [[nodiscard]] Value* find(const crypto::digest256& key) noexcept {
        const std::size_t at = position(key);
        if (index_[at] == 0) {
            return nullptr;
        }
        slot& found = slots_[index_[at] - 1];
        found.used = true;
        return &found.value;
    }

    /// Puts a value in, over the one that is there or in place of one not used lately.
    Value& store(const crypto::digest256& key, Value value) noexcept {
        std::size_t at = position(key);
        if (index_[at] != 0) {
            slot& there = slots_[index_[at] - 1];
            there.value = std::move(value);
            return there.value;
        }
        if (slots_.size() < capacity_) {
            slots_.push_back({key, false, std::move(value)});
            index_[at] = static_cast<std::uint32_t>(slots_.size());
            return slots_.back().value;
        }
        const std::size_t freed = advance_hand();
        remove_from_index(position(slots_[freed].key));
        slots_[freed] = {key, false, std::move(value)};
        at = position(key);  // removal has moved entries up
        index_[at] = static_cast<std::uint32_t>(freed + 1);
        return slots_[freed].value;
    }

    void erase(const crypto::digest256& key) noexcept {
        const std::size_t at = position(key);
        if (index_[at] == 0) {
            return;
        }
        // The last slot moves into the gap: the used ones stay together and no list of free ones is needed.
        const std::size_t gap = index_[at] - 1;
        remove_from_index(at);
        if (gap + 1 != slots_.size()) {
            const std::size_t moved = position(slots_.back().key);
            slots_[gap] = std::move(slots_.back());
            index_[moved] = static_cast<std::uint32_t>(gap + 1);
        }
        slots_.pop_back();
    }

    [[nodiscard]] std::size_t size() const noexcept { return slots_.size(); }

private:
    struct slot {
        crypto::digest256 key;
        bool used;  // beside the key: finding an entry writes it
        Value value;
    };
    struct free_deleter {
        void operator()(std::uint32_t* block) const noexcept { std::free(block); }
    };

    [[nodiscard]] std::size_t home(const crypto::digest256& key) const noexcept {
        std::uint64_t x = 0;
        std::memcpy(&x, key.data(), sizeof x);
        // The finaliser of MurmurHash3 over the seeded first bytes: every bit of the seed reaches every bit of the
        // place.
        x ^= seed_;
        x = (x ^ (x >> 33)) * 0xff51afd7ed558ccdULL;
        x = (x ^ (x >> 33)) * 0xc4ceb9fe1a85ec53ULL;
        return static_cast<std::size_t>(x ^ (x >> 33)) & mask_;
    }

    /// Where the key stands in the index, or the free place where it would.
    [[nodiscard]] std::size_t position(const crypto::digest256& key) const noexcept {
        std::size_t at = home(key);
        while (index_[at] != 0 && slots_[index_[at] - 1].key != key) {
            at = (at + 1) & mask_;
        }
        return at;
    }

    /// Linear probing without tombstones: entries behind the gap move up as long as that brings them nearer to home.
    void remove_from_index(std::size_t gap) noexcept {
        for (std::size_t at = (gap + 1) & mask_; index_[at] != 0; at = (at + 1) & mask_) {
            const std::size_t from_home = (at - home(slots_[index_[at] - 1].key)) & mask_;
            if (from_home >= ((at - gap) & mask_)) {
                index_[gap] = index_[at];
                gap = at;
            }
        }
        index_[gap] = 0;
    }

    [[nodiscard]] std::size_t advance_hand() noexcept {
        for (;;) {
            hand_ = hand_ + 1 < slots_.size() ? hand_ + 1 : 0;
            if (!std::exchange(slots_[hand_].used, false)) {
                return hand_;
            }
        }
    }

    std::size_t capacity_;
    std::size_t mask_;
    std::uint64_t seed_;
    std::unique_ptr<std::uint32_t[], free_deleter> index_;  // slot + 1; 0: free
    std::vector<slot> slots_;
    std::size_t hand_ = 0;
};

}  // namespace concurred::auth
