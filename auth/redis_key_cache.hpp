#pragma once

#include "auth/shared_key_cache.hpp"
#include "storage/redis_client.hpp"

#include <memory>

namespace concurred::auth {

/// The replicas' common knowledge of keys in Redis. Every command has one key, so that it works in a Cluster too.
/// @param redis outlives the cache
[[nodiscard]] std::unique_ptr<shared_key_cache> make_redis_key_cache(storage::redis_client& redis);

}  // namespace concurred::auth
