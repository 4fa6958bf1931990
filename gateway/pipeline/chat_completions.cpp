#include "gateway/pipeline/chat_completions.hpp"

#include "upstream/prepared_request.hpp"

#include <chrono>
#include <string>

namespace concurred::pipeline {

namespace {

using base::client_error;
using base::errc;
using base::result;

base::error unavailable(std::string_view provider, const char* why) {
    return base::gateway_error(errc::model_unavailable, "The provider '" + std::string(provider) +
                                                            "' of this model is not available here: " + why);
}

// A body of another type fails as JSON anyway; then the type is the better hint.
bool names_other_type(const http::request_head& head) noexcept {
    const auto type = head.find("content-type");
    return !type.empty() && type.find("json") == std::string_view::npos;
}

}  // namespace

base::task<result<http::response>> chat_completions::handle(http::exchange& x) {
    if (auto ok = ledger_.admit(x); !ok) {
        co_return ok.error();
    }
    result<http::response> r = co_await complete(x);
    if (r) {
        x.usage.status = static_cast<std::uint16_t>(r->status);
    } else {
        ledger_.failed(x, r.error());
    }
    co_return std::move(r);
}

result<upstream::provider*> chat_completions::choose(const upstream::route_target& target) {
    upstream::provider* const provider = providers_.find(target.provider);
    if (provider == nullptr) {
        return unavailable(target.provider, "it is not configured.");
    }
    if (!provider->dialect().spoken) {
        return unavailable(target.provider, "its API is not spoken by this version of the gateway.");
    }
    if (!provider->available()) {
        return unavailable(target.provider, "the gateway has no API key for it.");
    }
    return provider;
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
    const result<upstream::chat_request> request = upstream::parse_chat_request(*body);
    if (!request) {
        co_return names_other_type(x.head) ? client_error(errc::unsupported_media_type, {}) : request.error();
    }
    x.usage.model_requested = request->model();
    x.usage.stream = request->stream;
    const result<upstream::route_target> target = models_.resolve(request->model());
    if (!target) {
        co_return target.error();
    }
    x.usage.provider = target->provider;
    x.usage.model = target->model;
    x.price = target->price;
    const result<upstream::provider*> provider = choose(*target);
    if (!provider) {
        co_return provider.error();
    }
    upstream::prepared_request prepared;
    if (const result<void> ok = prepared.prepare(**provider, *target, *request, *body, x); !ok) {
        co_return ok.error();
    }
    x.times.routed = std::chrono::steady_clock::now();
    const upstream::forward_context context{buffers_, wheel_, ledger_, x.settings->limits.keepalive_comment};
    result<http::response> r = co_await upstream::forward(context, **provider, x, prepared);
    x.body->release();
    co_return std::move(r);
}

}  // namespace concurred::pipeline
