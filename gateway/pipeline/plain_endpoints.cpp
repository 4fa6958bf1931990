#include "gateway/pipeline/plain_endpoints.hpp"

#include "upstream/plain_call.hpp"

#include <utility>

namespace concurred::pipeline {

using base::result;

result<std::unique_ptr<upstream::routed_call>> plain_endpoint::plan(http::exchange& x, std::string_view body) {
    result<upstream::chat_request> request = upstream::parse_plain_request(body, endpoint_);
    if (!request) {
        return request.error();
    }
    x.usage.model_requested = request->model();
    x.usage.stream = request->stream;
    const upstream::routed_call::params how = configured(x, request->stream);
    auto call =
        std::make_unique<upstream::plain_call>(routing(), x, ledger(), how, endpoint_, std::move(*request), body);
    if (const result<void> ok = call->plan(); !ok) {
        return ok.error();
    }
    return call;
}

}  // namespace concurred::pipeline
