#pragma once

#include "auth/key_admin.hpp"
#include "gateway/base/config.hpp"
#include "gateway/http/handler.hpp"
#include "gateway/pipeline/key_text.hpp"
#include "storage/database_thread.hpp"
#include "storage/usage_store.hpp"

namespace concurred::pipeline {

/// What the endpoints for API keys work with. All of it outlives them.
struct key_surroundings {
    base::executor shard;
    auth::key_admin& admin;
    const base::limits_config& limits;
    storage::database_thread& database;
    storage::usage_store& usage;
};

// Whoever is signed in sees, makes and changes keys of their own. A key of somebody else is in every way a key that
// does not exist. All answers are for the caller only: `Cache-Control: no-store`.

/// POST /api/v1/keys
class create_key final : public http::handler {
public:
    explicit create_key(const key_surroundings& around) : around_(around) {}
    [[nodiscard]] base::task<base::result<http::response>> handle(http::exchange& x) override;

private:
    key_surroundings around_;
};

/// GET /api/v1/keys
class list_keys final : public http::handler {
public:
    explicit list_keys(const key_surroundings& around) : around_(around) {}
    [[nodiscard]] base::task<base::result<http::response>> handle(http::exchange& x) override;

private:
    [[nodiscard]] base::task<key_usage> usage_of(std::string owner, std::int32_t today);

    key_surroundings around_;
};

/// PATCH /api/v1/keys/:id
class update_key final : public http::handler {
public:
    explicit update_key(const key_surroundings& around) : around_(around) {}
    [[nodiscard]] base::task<base::result<http::response>> handle(http::exchange& x) override;

private:
    key_surroundings around_;
};

/// DELETE /api/v1/keys/:id
class delete_key final : public http::handler {
public:
    explicit delete_key(const key_surroundings& around) : around_(around) {}
    [[nodiscard]] base::task<base::result<http::response>> handle(http::exchange& x) override;

private:
    key_surroundings around_;
};

/// POST /api/v1/keys/:id/rotate
class rotate_key final : public http::handler {
public:
    explicit rotate_key(const key_surroundings& around) : around_(around) {}
    [[nodiscard]] base::task<base::result<http::response>> handle(http::exchange& x) override;

private:
    key_surroundings around_;
};

}  // namespace concurred::pipeline
