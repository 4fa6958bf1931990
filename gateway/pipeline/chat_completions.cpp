#include "gateway/pipeline/chat_completions.hpp"

#include "upstream/chat_call.hpp"
#include "upstream/tool_check.hpp"

#include <chrono>
#include <memory>
#include <utility>

namespace concurred::pipeline {

namespace {

using base::client_error;
using base::errc;
using base::result;

// A body of another type fails as JSON anyway; then the type is the better hint.
bool names_other_type(const http::request_head& head) noexcept {
    const auto type = head.find("content-type");
    return !type.empty() && type.find("json") == std::string_view::npos;
}

// In Anthropic's form tools look otherwise; there the translation, or Anthropic, sees to them.
result<void> checked_tools(const http::exchange& x, const upstream::chat_request& request) {
    return x.form == http::api_form::openai ? upstream::check_tools(request) : result<void>();
}

}  // namespace

base::task<result<http::response>> chat_completions::handle(http::exchange& x) {
    ledger_.admit(x);
    result<http::response> r = co_await complete(x);
    if (r) {
        x.usage.status = static_cast<std::uint16_t>(r->status);
    } else {
        ledger_.failed(x, r.error());
    }
    co_return std::move(r);
}

base::task<result<http::response>> chat_completions::complete(http::exchange& x) {
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
    result<upstream::chat_request> request = upstream::parse_chat_request(*body);
    if (!request) {
        co_return names_other_type(x.head) ? client_error(errc::unsupported_media_type, {}) : request.error();
    }
    x.usage.model_requested = request->model();
    x.usage.stream = request->stream;
    if (const result<void> ok = checked_tools(x, *request); !ok) {
        co_return ok.error();
    }
    const base::routing_config& routing = x.settings->routing;
    const upstream::routed_call::params how{.stream = request->stream,
                                            .retries = request->retries.value_or(routing.retries),
                                            .timeout = request->timeout.value_or(routing.timeout),
                                            .silence = x.settings->limits.keepalive_comment};
    auto call = std::make_unique<upstream::chat_call>(routing_, x, ledger_, how, std::move(*request), *body);
    if (const result<void> ok = call->plan(); !ok) {
        co_return ok.error();
    }
    x.times.routed = std::chrono::steady_clock::now();
    result<http::response> r = co_await upstream::routed_call::begin(std::move(call));
    co_return std::move(r);
}

}  // namespace concurred::pipeline
