#pragma once

#include "upstream/plain_request.hpp"
#include "upstream/routed_call.hpp"

#include <utility>

namespace concurred::upstream {

/// A request for embeddings or a response on its way to the provider of its model.
class plain_call final : public routed_call {
public:
    /// @param body  that `request` was parsed from; valid until the exchange's body is released
    plain_call(routing_state& state, http::exchange& x, relay_observer& observer, const params& p,
               plain_endpoint endpoint, chat_request request, std::string_view body)
        : routed_call(state, x, observer, p), endpoint_(endpoint), request_(std::move(request)), body_(body) {}

    /// Finds the model. Before `begin`. Errors: it is not known, or not available.
    [[nodiscard]] base::result<void> plan() { return find_targets(request_.model(), nullptr); }

private:
    base::result<void> prepare(prepared_request& request, const routed_target& target) override {
        if (!has_endpoint(target.to->name(), endpoint_)) {
            return no_endpoint(target.to->name(), endpoint_);
        }
        request.prepare_plain(target.target, request_, body_, endpoint_);
        return {};
    }

    [[nodiscard]] std::string_view client_body() const noexcept override { return body_; }

    plain_endpoint endpoint_;
    chat_request request_;
    std::string_view body_;
};

}  // namespace concurred::upstream
