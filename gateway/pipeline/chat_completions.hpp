#pragma once

#include "gateway/pipeline/asking_endpoint.hpp"

namespace concurred::pipeline {

/// POST /api/v1/chat/completions, and the same in Anthropic's form: POST /api/v1/messages.
class chat_completions final : public asking_endpoint {
public:
    using asking_endpoint::asking_endpoint;

private:
    [[nodiscard]] base::result<std::unique_ptr<upstream::routed_call>> plan(http::exchange& x,
                                                                            std::string_view body) override;
};

}  // namespace concurred::pipeline
