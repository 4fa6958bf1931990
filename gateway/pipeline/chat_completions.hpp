#pragma once

#include "gateway/http/handler.hpp"
#include "gateway/pipeline/usage_ledger.hpp"
#include "upstream/chat_request.hpp"
#include "upstream/forward.hpp"
#include "upstream/model_registry.hpp"

namespace concurred::pipeline {

/// POST /api/v1/chat/completions.
class chat_completions final : public http::handler {
public:
    chat_completions(const upstream::model_registry& models, upstream::provider_table& providers, usage_ledger& ledger,
                     base::buffer_pool& buffers, base::timing_wheel& wheel)
        : models_(models), providers_(providers), ledger_(ledger), buffers_(buffers), wheel_(wheel) {}

    [[nodiscard]] base::task<base::result<http::response>> handle(http::exchange& x) override;

private:
    [[nodiscard]] base::task<base::result<http::response>> complete(http::exchange& x);
    [[nodiscard]] base::result<upstream::provider*> choose(const upstream::route_target& target);

    const upstream::model_registry& models_;
    upstream::provider_table& providers_;
    usage_ledger& ledger_;
    base::buffer_pool& buffers_;
    base::timing_wheel& wheel_;
};

}  // namespace concurred::pipeline
