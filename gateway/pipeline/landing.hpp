#pragma once

#include "gateway/http/handler.hpp"

namespace concurred::pipeline {

/// GET /: tells a person who opens the address in a browser what this is and where the API begins.
class landing final : public http::handler {
public:
    [[nodiscard]] base::task<base::result<http::response>> handle(http::exchange& x) override;
};

}  // namespace concurred::pipeline
