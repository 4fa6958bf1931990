#include "auth/key_state.hpp"

#include "auth/shared_cell.hpp"
#include "auth/spend.hpp"

#include <memory>
#include <new>
#include <tuple>

namespace concurred::auth {

namespace {

/// The block behind `place`, made by whoever comes first.
template <class Block>
Block* made_once(std::atomic<Block*>& place) noexcept {
    // Acquire and release: whoever sees the pointer must also see the zeroed cells behind it.
    Block* there = place.load(std::memory_order_acquire);
    if (there == nullptr) {
        std::unique_ptr<Block> made(new (std::nothrow) Block);
        if (made == nullptr) {
            return nullptr;
        }
        if (place.compare_exchange_strong(there, made.get(), std::memory_order_release, std::memory_order_acquire)) {
            there = made.release();
        }
    }
    return there;
}

}  // namespace

static_assert(std::tuple_size_v<decltype(shared_cells::path)> == max_path_classes);

key_state::~key_state() {
    delete paths_.load(std::memory_order_relaxed);
    delete shared_.load(std::memory_order_relaxed);
    delete spend_.load(std::memory_order_relaxed);
}

std::atomic<std::int64_t>* key_state::path_cell(std::size_t path_class) noexcept {
    path_cells* const cells = made_once(paths_);
    return cells == nullptr ? nullptr : &cells->tat[path_class];
}

shared_cells* key_state::shared() noexcept {
    return made_once(shared_);
}

spend_state& key_state::spend_made() {
    if (spend_state* const there = spend()) {
        return *there;
    }
    auto made = std::make_unique<spend_state>();
    spend_state* expected = nullptr;
    return spend_.compare_exchange_strong(expected, made.get(), std::memory_order_acq_rel) ? *made.release()
                                                                                           : *expected;
}

key_state& key_state_table::state_for(std::string_view key_id) {
    const std::lock_guard lock(mutex_);
    if (const auto found = states_.find(key_id); found != states_.end()) {
        return found->second;
    }
    key_state& made = states_.try_emplace(std::string(key_id)).first->second;
    made.generation_.store(unseen_epoch_.load(std::memory_order_relaxed), std::memory_order_release);
    return made;
}

// In both: the stamp before the epoch. A fill that sees the new epoch has begun after the change was committed, and by
// release and acquire it sees the new stamp as well, so its result counts. The other order would throw good fills away.

void key_state_table::invalidate(std::string_view key_id) {
    const std::lock_guard lock(mutex_);
    const std::uint64_t next = epoch_.load(std::memory_order_relaxed) + 1;
    const auto found = states_.find(key_id);
    if (found != states_.end()) {
        found->second.generation_.store(next, std::memory_order_release);
    }
    unseen_epoch_.store(next, std::memory_order_release);
    epoch_.store(next, std::memory_order_release);
}

void key_state_table::invalidate_all() {
    const std::lock_guard lock(mutex_);
    const std::uint64_t next = epoch_.load(std::memory_order_relaxed) + 1;
    for (auto& [key_id, state] : states_) {
        state.generation_.store(next, std::memory_order_release);
    }
    unseen_epoch_.store(next, std::memory_order_release);
    epoch_.store(next, std::memory_order_release);
}

void key_state_table::each_spender(const std::function<void(const std::string&, spend_state&)>& visit) const {
    const std::lock_guard lock(mutex_);
    for (const auto& [key_id, state] : states_) {
        if (spend_state* const spend = state.spend()) {
            visit(key_id, *spend);
        }
    }
}

std::size_t key_state_table::size() const {
    const std::lock_guard lock(mutex_);
    return states_.size();
}

}  // namespace concurred::auth
