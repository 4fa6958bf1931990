#include "gateway/pipeline/asking_endpoint.hpp"

#include <chrono>
#include <optional>
#include <utility>

namespace concurred::pipeline {

using base::result;

base::task<result<http::response>> asking_endpoint::handle(http::exchange& x) {
    ledger_.admit(x);
    result<http::response> r = co_await answer(x);
    if (r) {
        x.usage.status = static_cast<std::uint16_t>(r->status);
    } else {
        ledger_.failed(x, r.error());
    }
    co_return std::move(r);
}

base::task<result<http::response>> asking_endpoint::answer(http::exchange& x) {
    if (!x.head.find("content-encoding").empty()) {
        co_return base::client_error(base::errc::unsupported_media_type, "Send the body without Content-Encoding.");
    }
    std::optional<std::string_view> body = x.body->ready();
    if (!body) {
        const result<std::string_view> read = co_await x.body->read();
        if (!read) {
            co_return read.error();
        }
        body = *read;
    }
    result<std::unique_ptr<upstream::routed_call>> call = plan(x, *body);
    if (!call) {
        co_return call.error();
    }
    x.times.routed = std::chrono::steady_clock::now();
    result<http::response> r = co_await upstream::routed_call::begin(std::move(*call));
    co_return std::move(r);
}

upstream::routed_call::params asking_endpoint::configured(const http::exchange& x, bool stream) noexcept {
    return {.stream = stream,
            .retries = x.settings->routing.retries,
            .timeout = x.settings->routing.timeout,
            .silence = x.settings->limits.keepalive_comment};
}

}  // namespace concurred::pipeline
