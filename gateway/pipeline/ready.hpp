#pragma once

#include "gateway/http/handler.hpp"

#include <utility>

namespace concurred::pipeline {

/// An answer that is there already, as a task: lets a handler that need not wait be a plain function.
[[nodiscard]] inline base::task<base::result<http::response>> ready(base::result<http::response> r) {
    co_return std::move(r);
}

}  // namespace concurred::pipeline
