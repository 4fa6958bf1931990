#pragma once

#include "gateway/http/handler.hpp"
#include "storage/database_thread.hpp"
#include "storage/usage_store.hpp"
#include "upstream/model_registry.hpp"

#include <string>
#include <string_view>

namespace concurred::pipeline {

/// GET /api/v1/usage/explain?id=<request id>: one request of the caller's owner, with the arithmetic of its cost.
class usage_explain final : public http::handler {
public:
    usage_explain(base::executor shard, storage::database_thread& database, storage::usage_store& store,
                  const upstream::model_registry& models)
        : shard_(shard), database_(database), store_(store), models_(models) {}

    [[nodiscard]] base::task<base::result<http::response>> handle(http::exchange& x) override;

private:
    base::executor shard_;
    storage::database_thread& database_;
    storage::usage_store& store_;
    const upstream::model_registry& models_;
};

/// Reads `id=<UUID>`. Errors: bad_request that says what is allowed.
[[nodiscard]] base::result<base::event_id> parse_explain_query(std::string_view query);

/// The answer's body. Each class of tokens has a line `tokens x USD per million = cost`, whose sum, rounded half up to
/// a nano-USD, is the cost that was booked. The arithmetic is null where the prices of today are not those that were
/// booked.
/// @param price of today; null: not known
[[nodiscard]] std::string render_explanation(const base::usage_record& record, const upstream::model_price* price);

}  // namespace concurred::pipeline
