#pragma once

#include "crypto/openssl_handles.hpp"
#include "gateway/base/config.hpp"
#include "gateway/base/error.hpp"
#include "gateway/base/logger.hpp"
#include "storage/redis_client.hpp"

#include <memory>
#include <optional>

namespace concurred::app {

/// What all shards need to use Redis. Immutable.
struct redis_setup {
    storage::redis_settings settings;
    crypto::ssl_ctx_handle tls;  // null unless the URL is rediss://
};

/// @return null when Redis is not configured. Errors: in words for the operator.
[[nodiscard]] base::result<std::unique_ptr<redis_setup>> make_redis_setup(const base::redis_config& config,
                                                                          std::uint64_t seed);

/// Tells the log how it goes with Redis: each change once, not each attempt.
class redis_reporter {
public:
    explicit redis_reporter(base::logger& log) : log_(log) {}

    [[nodiscard]] storage::redis_observer observer();

private:
    base::logger& log_;
    std::optional<storage::redis_errc> trouble_;  // that was reported; nullopt: it is up, or nothing was said yet
};

}  // namespace concurred::app
