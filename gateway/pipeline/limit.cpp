#include "gateway/pipeline/limit.hpp"

#include "auth/limit_headers.hpp"
#include "auth/principal.hpp"
#include "gateway/pipeline/ready.hpp"
#include "gateway/pipeline/router.hpp"

#include <chrono>

namespace concurred::pipeline {

base::task<base::result<http::response>> limit::handle(http::exchange& x) {
    if (x.principal == nullptr) {
        return next_.handle(x);
    }
    const auto row = static_cast<auth::path_class>(x.endpoint->limit_class);
    const auth::limit_decision decision = limiter_.admit(*x.principal, row, base::micros(x.times.authenticated));
    x.principal = nullptr;  // not valid beyond this turn, and not needed
    x.headers.append(auth::limit_headers(decision, x.arrived_at).view());
    x.times.limited = std::chrono::steady_clock::now();
    if (!decision.allowed) {
        return ready(auth::limit_error(decision));
    }
    return next_.handle(x);
}

base::task<base::result<http::response>> dispatch::handle(http::exchange& x) {
    return x.endpoint->handler->handle(x);
}

}  // namespace concurred::pipeline
