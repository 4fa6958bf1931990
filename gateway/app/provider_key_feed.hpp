#pragma once

#include "gateway/app/shard.hpp"
#include "storage/provider_key_store.hpp"

#include <memory>
#include <span>

namespace concurred::app {

/// Carries changes of provider keys from the database to every shard's table: those of this process at once, those of
/// others (the command line, another server) when it is next polled. Used on the database thread, once it runs.
class provider_key_feed {
public:
    /// @param store outlives the feed
    explicit provider_key_feed(storage::provider_key_store& store) noexcept : store_(store) {}

    /// Who gets the changes. Before the database thread calls `poll`. @param shards outlive the polling
    void connect(std::span<const std::unique_ptr<shard>> shards) noexcept { shards_ = shards; }

    /// Reads what has changed since the last call, and posts it to the shards: a shard has it before the answer of
    /// whoever made the change.
    [[nodiscard]] base::result<void> poll();

private:
    storage::provider_key_store& store_;
    std::span<const std::unique_ptr<shard>> shards_;
    std::uint64_t cursor_ = 0;
};

}  // namespace concurred::app
