#include "gateway/pipeline/health.hpp"

#include "auth/limit_headers.hpp"
#include "gateway/base/json_text.hpp"
#include "gateway/base/utc_text.hpp"
#include "gateway/pipeline/ready.hpp"

#include <algorithm>
#include <string>
#include <vector>

namespace concurred::pipeline {

namespace {

std::string opening(const http::exchange& x, std::string_view status) {
    return std::string(R"({"status":")").append(status).append(R"(","timestamp":")") +
           base::utc_timestamp(x.arrived_at) + R"(","version":")" CONCURRED_VERSION "\"";
}

void append_breaker(std::string& out, const upstream::health_row& row) {
    out.append(R"(,"state":")").append(upstream::text_of(row.state)).append("\"");
    out += ",\"shards\":" + std::to_string(row.shards);
    if (row.reopens_in.count() > 0) {
        out += ",\"probed_in_ms\":" + std::to_string(row.reopens_in.count());
    }
    out += ",\"openings\":" + std::to_string(row.openings);
}

}  // namespace

base::task<base::result<http::response>> health::handle(http::exchange& x) {
    const auth::limit_decision decision =
        limiter_.try_acquire(auth::client_address::v6(x.client.bytes), base::micros(x.times.arrived));
    x.headers.append(auth::limit_headers(decision, x.arrived_at).view());
    if (!decision.allowed) {
        return ready(auth::limit_error(decision));
    }
    x.headers.field("Cache-Control", "no-store");
    http::response r;
    r.content = opening(x, "ok") + "}\n";
    return ready(std::move(r));
}

base::task<base::result<http::response>> provider_health::handle(http::exchange& x) {
    const std::vector<upstream::health_row> rows = board_.merged();
    const bool good = std::all_of(rows.begin(), rows.end(), [](const upstream::health_row& row) {
        return row.state == upstream::circuit_breaker::state::closed && (row.keys == 0 || row.resting < row.keys);
    });
    http::response r;
    r.content = opening(x, good ? "ok" : "degraded") + ",\"providers\":[";
    std::string provider;
    bool first_model = true;
    for (const upstream::health_row& row : rows) {  // a provider's own row comes before those of its models
        if (row.model.empty()) {
            r.content += provider.empty() ? "{\"name\":" : "]},{\"name\":";
            base::append_json_text(r.content, row.provider);
            append_breaker(r.content, row);
            r.content += ",\"keys\":" + std::to_string(row.keys) + ",\"keys_resting\":" + std::to_string(row.resting) +
                         ",\"models\":[";
            provider = row.provider;
            first_model = true;
        } else if (row.provider == provider) {
            r.content += first_model ? "{\"id\":" : ",{\"id\":";
            base::append_json_text(r.content, row.model);
            append_breaker(r.content, row);
            r.content += "}";
            first_model = false;
        }
    }
    r.content += provider.empty() ? "]}\n" : "]}]}\n";
    x.headers.field("Cache-Control", "no-store");
    return ready(std::move(r));
}

}  // namespace concurred::pipeline
