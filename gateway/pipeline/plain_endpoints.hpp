#pragma once

#include "gateway/http/handler.hpp"
#include "gateway/pipeline/usage_ledger.hpp"
#include "upstream/plain_request.hpp"
#include "upstream/routing_state.hpp"

namespace concurred::pipeline {

/// POST /api/v1/embeddings and POST /api/v1/responses: they go through to the providers that have them, with the
/// provider's name of the model and its key; usage is recorded as that of chat completions.
class plain_endpoint final : public http::handler {
public:
    plain_endpoint(upstream::plain_endpoint endpoint, upstream::routing_state& routing, usage_ledger& ledger)
        : endpoint_(endpoint), routing_(routing), ledger_(ledger) {}

    [[nodiscard]] base::task<base::result<http::response>> handle(http::exchange& x) override;

private:
    [[nodiscard]] base::task<base::result<http::response>> complete(http::exchange& x);

    upstream::plain_endpoint endpoint_;
    upstream::routing_state& routing_;
    usage_ledger& ledger_;
};

}  // namespace concurred::pipeline
