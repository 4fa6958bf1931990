#pragma once

#include "gateway/http/handler.hpp"
#include "gateway/pipeline/usage_ledger.hpp"
#include "upstream/routed_call.hpp"

#include <memory>
#include <string_view>

namespace concurred::pipeline {

/// What all endpoints that ask a provider have in common: the body is read whole, and however the request ends, it ends
/// in one usage record.
class asking_endpoint : public http::handler {
public:
    asking_endpoint(upstream::routing_state& routing, usage_ledger& ledger) : routing_(routing), ledger_(ledger) {}

    [[nodiscard]] base::task<base::result<http::response>> handle(http::exchange& x) final;

protected:
    /// Reads the request and finds the models that may answer. Notes in `x.usage` what was asked for.
    /// @param body whole; valid until the exchange's body is released
    /// Errors: a field of the request that is wrong, by its name; a model that is not known or not available.
    [[nodiscard]] virtual base::result<std::unique_ptr<upstream::routed_call>> plan(http::exchange& x,
                                                                                    std::string_view body) = 0;

    [[nodiscard]] upstream::routing_state& routing() noexcept { return routing_; }
    [[nodiscard]] usage_ledger& ledger() noexcept { return ledger_; }
    /// What the configuration says of the routing of a request.
    [[nodiscard]] static upstream::routed_call::params configured(const http::exchange& x, bool stream) noexcept;

private:
    [[nodiscard]] base::task<base::result<http::response>> answer(http::exchange& x);

    upstream::routing_state& routing_;
    usage_ledger& ledger_;
};

}  // namespace concurred::pipeline
