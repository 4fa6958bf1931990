#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

namespace concurred::auth {

struct shared_cells;
struct spend_state;

/// Number of path classes that can have a cell of their own; see `rate_limiter`.
inline constexpr std::size_t max_path_classes = 32;

/// What all shards share about one key: the one place where they meet on the request path. One cache line, so that a
/// request moves one line between cores, and two keys never disturb each other. Lives as long as its table.
class alignas(64) key_state {
public:
    key_state() = default;
    key_state(const key_state&) = delete;
    key_state& operator=(const key_state&) = delete;
    ~key_state();

    /// Cell of the key's own limit; see `try_acquire`.
    std::atomic<std::int64_t> tat{0};

    /// Which verifications of this key still count: those whose fill began at this epoch or later. Only the table
    /// raises it.
    [[nodiscard]] std::uint64_t generation() const noexcept { return generation_.load(std::memory_order_acquire); }

    /// The cell of a path class. The first use by a key of any class makes the block of them all: one allocation in the
    /// life of a key, and none for keys that are never held to a path limit.
    /// @param path_class < max_path_classes.
    /// @return null only when memory has run out.
    [[nodiscard]] std::atomic<std::int64_t>* path_cell(std::size_t path_class) noexcept;

    /// What is known of the key's limits that are shared with other gateways; made at the first use, and never where
    /// this gateway counts alone. @return null only when memory has run out.
    [[nodiscard]] shared_cells* shared() noexcept;

    /// Limits and counts in tokens, money and requests under way; null for a key that never had any.
    [[nodiscard]] spend_state* spend() const noexcept { return spend_.load(std::memory_order_acquire); }
    /// The same, made if it is not there yet. One allocation in the life of a key.
    [[nodiscard]] spend_state& spend_made();

private:
    friend class key_state_table;

    struct path_cells {
        std::array<std::atomic<std::int64_t>, max_path_classes> tat{};
    };

    std::atomic<std::uint64_t> generation_{0};
    std::atomic<path_cells*> paths_{nullptr};     // owned; set once
    std::atomic<shared_cells*> shared_{nullptr};  // owned; set once
    std::atomic<spend_state*> spend_{nullptr};    // owned; set once
    // 24 bytes are left.
};
static_assert(sizeof(key_state) == 64);

/// All keys that this process has seen valid, by key id, and the revocation of what shards have cached about them.
///
/// Epochs make revocation safe against fills under way: each invalidation takes the next epoch number and stamps the
/// key with it; whoever verifies a key notes the epoch before reading the store; a result noted under an older epoch
/// than the key's stamp was read before the change and is thrown away. So call `invalidate` after the change is
/// committed and before it is answered.
///
/// Thread-safe. The mutex is taken when a shard fills its cache and when a key changes, never per request. States stay
/// until the table is destroyed (about 200 bytes per key that was ever used): only valid keys get one, so their number
/// is that of the keys issued, not that of the keys guessed.
class key_state_table {
public:
    key_state_table() = default;
    key_state_table(const key_state_table&) = delete;
    key_state_table& operator=(const key_state_table&) = delete;

    /// The state of a key, made if it is not there yet.
    /// @return valid and at the same address until the table is destroyed.
    [[nodiscard]] key_state& state_for(std::string_view key_id);

    /// Number of the last invalidation, of whatever key.
    [[nodiscard]] std::uint64_t epoch() const noexcept { return epoch_.load(std::memory_order_acquire); }
    /// Number of the last invalidation as far as it concerns keys without a state: of any key, since what a cache holds
    /// of a key that is of no use does not tell which one it is. Keys first seen valid later start from it.
    [[nodiscard]] std::uint64_t unseen_epoch() const noexcept { return unseen_epoch_.load(std::memory_order_acquire); }

    /// Makes every shard's cached verification of the key a miss from its next use on. Also for keys not seen yet: then
    /// it concerns the fills under way, and keys that exist and are of no use.
    void invalidate(std::string_view key_id);
    /// The same for all keys at once.
    void invalidate_all();

    /// Calls `visit(key_id, state)` for each key that has limits in tokens, money or requests under way.
    void each_spender(const std::function<void(const std::string&, spend_state&)>& visit) const;

    /// Number of keys seen.
    [[nodiscard]] std::size_t size() const;

private:
    struct text_hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const noexcept { return std::hash<std::string_view>{}(text); }
    };

    mutable std::mutex mutex_;  // guards states_ and the order of the epochs
    std::unordered_map<std::string, key_state, text_hash, std::equal_to<>> states_;
    std::atomic<std::uint64_t> epoch_{0};
    std::atomic<std::uint64_t> unseen_epoch_{0};
};

}  // namespace concurred::auth
