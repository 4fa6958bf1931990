#pragma once

#include "storage/api_key_store.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace concurred::storage {

/// Decides which keys' times of last use are worth a write, so that a busy key causes one write in five minutes.
class last_used_filter {
public:
    /// @param max_keys keys remembered; with more it starts afresh, which costs writes but is not wrong
    explicit last_used_filter(std::size_t max_keys = 65'536) : max_keys_(max_keys) {}

    /// Notes a use of a key.
    void note(std::string_view key_id, std::int64_t used_ms);

    /// The uses to write now; they count as written.
    [[nodiscard]] std::vector<key_use> take();

    /// Forgets what counts as written, after the write failed: the next use of a key is written again.
    void forget() noexcept { keys_.clear(); }

private:
    struct state {
        std::int64_t written_ms;
        std::int64_t used_ms;
        bool pending;
    };
    struct hash : std::hash<std::string_view> {
        using is_transparent = void;
    };

    std::size_t max_keys_;
    std::unordered_map<std::string, state, hash, std::equal_to<>> keys_;
    std::vector<std::string> pending_;
};

}  // namespace concurred::storage
