#pragma once

#include "gateway/pipeline/asking_endpoint.hpp"
#include "upstream/plain_request.hpp"

namespace concurred::pipeline {

/// POST /api/v1/embeddings and POST /api/v1/responses: they go through to the providers that have them, with the
/// provider's name of the model and its key; usage is recorded as that of chat completions.
class plain_endpoint final : public asking_endpoint {
public:
    plain_endpoint(upstream::plain_endpoint endpoint, upstream::routing_state& routing, usage_ledger& ledger)
        : asking_endpoint(routing, ledger), endpoint_(endpoint) {}

private:
    [[nodiscard]] base::result<std::unique_ptr<upstream::routed_call>> plan(http::exchange& x,
                                                                            std::string_view body) override;

    upstream::plain_endpoint endpoint_;
};

}  // namespace concurred::pipeline
