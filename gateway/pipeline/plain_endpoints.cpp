#include "gateway/pipeline/plain_endpoints.hpp"

#include "upstream/plain_call.hpp"

#include <chrono>
#include <memory>
#include <utility>

namespace concurred::pipeline {

using base::client_error;
using base::errc;
using base::result;

base::task<result<http::response>> plain_endpoint::handle(http::exchange& x) {
    ledger_.admit(x);
    result<http::response> r = co_await complete(x);
    if (r) {
        x.usage.status = static_cast<std::uint16_t>(r->status);
    } else {
        ledger_.failed(x, r.error());
    }
    co_return std::move(r);
}

base::task<result<http::response>> plain_endpoint::complete(http::exchange& x) {
    if (!x.head.find("content-encoding").empty()) {
        co_return client_error(errc::unsupported_media_type, "Send the body without Content-Encoding.");
    }
    std::optional<std::string_view> body = x.body->ready();
    if (!body) {
        const result<std::string_view> read = co_await x.body->read();
        if (!read) {
            co_return read.error();
        }
        body = *read;
    }
    result<upstream::chat_request> request = upstream::parse_plain_request(*body, endpoint_);
    if (!request) {
        co_return request.error();
    }
    x.usage.model_requested = request->model();
    x.usage.stream = request->stream;
    const base::routing_config& routing = x.settings->routing;
    const upstream::routed_call::params how{.stream = request->stream,
                                            .retries = routing.retries,
                                            .timeout = routing.timeout,
                                            .silence = x.settings->limits.keepalive_comment};
    auto call =
        std::make_unique<upstream::plain_call>(routing_, x, ledger_, how, endpoint_, std::move(*request), *body);
    if (const result<void> ok = call->plan(); !ok) {
        co_return ok.error();
    }
    x.times.routed = std::chrono::steady_clock::now();
    result<http::response> r = co_await upstream::routed_call::begin(std::move(call));
    co_return std::move(r);
}

}  // namespace concurred::pipeline
