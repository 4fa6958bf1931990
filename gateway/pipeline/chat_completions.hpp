#pragma once

#include "gateway/http/handler.hpp"
#include "gateway/pipeline/usage_ledger.hpp"
#include "upstream/routing_state.hpp"

namespace concurred::pipeline {

/// POST /api/v1/chat/completions.
class chat_completions final : public http::handler {
public:
    chat_completions(upstream::routing_state& routing, usage_ledger& ledger) : routing_(routing), ledger_(ledger) {}

    [[nodiscard]] base::task<base::result<http::response>> handle(http::exchange& x) override;

private:
    [[nodiscard]] base::task<base::result<http::response>> complete(http::exchange& x);

    upstream::routing_state& routing_;
    usage_ledger& ledger_;
};

}  // namespace concurred::pipeline
