#include "gateway/pipeline/health.hpp"

#include "auth/limit_headers.hpp"
#include "gateway/base/utc_text.hpp"
#include "gateway/pipeline/ready.hpp"

namespace concurred::pipeline {

base::task<base::result<http::response>> health::handle(http::exchange& x) {
    const auth::limit_decision decision =
        limiter_.try_acquire(auth::client_address::v6(x.client.bytes), base::micros(x.times.arrived));
    x.headers.append(auth::limit_headers(decision, x.arrived_at).view());
    if (!decision.allowed) {
        return ready(auth::limit_error(decision));
    }
    x.headers.field("Cache-Control", "no-store");
    http::response r;
    r.content = R"({"status":"ok","timestamp":")" + base::utc_timestamp(x.arrived_at) +
                R"(","version":")" CONCURRED_VERSION "\"}\n";
    return ready(std::move(r));
}

}  // namespace concurred::pipeline
