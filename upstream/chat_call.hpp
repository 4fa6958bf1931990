#pragma once

#include "upstream/chat_request.hpp"
#include "upstream/routed_call.hpp"

#include <optional>
#include <utility>

namespace concurred::upstream {

/// A chat completion on its way to the first of its models that works.
class chat_call final : public routed_call {
public:
    /// @param body  that `request` was parsed from; valid until the exchange's body is released
    chat_call(routing_state& state, http::exchange& x, relay_observer& observer, const params& p, chat_request request,
              std::string_view body)
        : routed_call(state, x, observer, p), request_(std::move(request)), body_(body) {}

    /// Finds the models that may answer. Before `begin`. Errors: a field of the request that is wrong, by its name; a
    /// model that is not known; none that is available.
    [[nodiscard]] base::result<void> plan() {
        if (names_more_models(request_)) {
            base::result<routing_request> wishes = parse_routing_request(request_);
            if (!wishes) {
                return wishes.error();
            }
            wishes_ = std::move(*wishes);
        }
        return find_targets(request_.model(), wishes_ ? &*wishes_ : nullptr);
    }

private:
    base::result<void> prepare(prepared_request& request, const routed_target& target) override {
        return request.prepare(*target.to, target.target, request_, body_, exchange());
    }

    [[nodiscard]] std::string_view client_body() const noexcept override { return body_; }

    chat_request request_;
    std::string_view body_;
    std::optional<routing_request> wishes_;  // its names are what targets point to
};

}  // namespace concurred::upstream
