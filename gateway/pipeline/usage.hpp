#pragma once

#include "gateway/http/handler.hpp"
#include "storage/database_thread.hpp"
#include "storage/usage_store.hpp"

namespace concurred::pipeline {

/// GET /api/v1/usage: what the caller's owner has used, from the daily sums.
class usage final : public http::handler {
public:
    usage(base::executor shard, storage::database_thread& database, storage::usage_store& store)
        : shard_(shard), database_(database), store_(store) {}

    [[nodiscard]] base::task<base::result<http::response>> handle(http::exchange& x) override;

private:
    base::executor shard_;
    storage::database_thread& database_;
    storage::usage_store& store_;
};

/// Reads the query string. @param today UTC day, for the default range: the last 30 days.
/// Errors: bad_request that names the parameter and what is allowed. Source: DECISIONS.md, the entry on usage.
[[nodiscard]] base::result<storage::usage_query> parse_usage_query(std::string_view query, std::int32_t today);

/// Whether the first type that `Accept` names and that there is, is CSV.
[[nodiscard]] bool wants_csv(std::string_view accept) noexcept;

}  // namespace concurred::pipeline
