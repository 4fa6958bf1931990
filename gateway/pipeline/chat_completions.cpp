#include "gateway/pipeline/chat_completions.hpp"

#include "upstream/chat_call.hpp"
#include "upstream/tool_check.hpp"

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

result<std::unique_ptr<upstream::routed_call>> chat_completions::plan(http::exchange& x, std::string_view body) {
    result<upstream::chat_request> request = upstream::parse_chat_request(body);
    if (!request) {
        return names_other_type(x.head) ? client_error(errc::unsupported_media_type, {}) : request.error();
    }
    x.usage.model_requested = request->model();
    x.usage.stream = request->stream;
    if (const result<void> ok = checked_tools(x, *request); !ok) {
        return ok.error();
    }
    upstream::routed_call::params how = configured(x, request->stream);
    how.retries = request->retries.value_or(how.retries);
    how.timeout = request->timeout.value_or(how.timeout);
    auto call = std::make_unique<upstream::chat_call>(routing(), x, ledger(), how, std::move(*request), body);
    if (const result<void> ok = call->plan(); !ok) {
        return ok.error();
    }
    return call;
}

}  // namespace concurred::pipeline
