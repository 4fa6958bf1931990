#include "upstream/plain_request.hpp"

#include "gateway/http/json_string.hpp"
#include "upstream/chat_fields.hpp"
#include "upstream/json_parts.hpp"
#include "upstream/refusal.hpp"

namespace concurred::upstream {

namespace {

using base::errc;
using base::result;
using http::json_kind;
using http::json_member;

base::error missing(std::string field) {
    std::string message = "The field '" + field + "' is required.";
    base::error e = refuse(std::move(field), std::move(message));
    e.code = errc::missing_required_field;
    return e;
}

/// Takes `model` or `stream`. Errors: a wrong type, the same name twice or in other letters.
result<void> take(const json_member& m, const field_match& match, chat_request& r) {
    const bool model = match.field == chat_field::model;
    const std::string name(name_of(match.field));
    if (!match.exact) {
        return refuse(name, "Unknown field: names are case-sensitive, write '" + name + "'.");
    }
    if (model ? !r.model_text.empty() : r.stream) {
        return refuse(name, "'" + name + "' is given more than once.");
    }
    if (!model) {
        r.stream = m.value == "true";
        return m.kind == json_kind::boolean || m.kind == json_kind::null
                   ? result<void>()
                   : refuse(name, "'stream' must be true or false.");
    }
    if (m.kind != json_kind::string || m.value.size() == 2) {
        return refuse(name, "'model' must be a non-empty string.");
    }
    r.model_text = m.value;
    if (m.value_escaped) {
        r.model_decoded = http::json_unquote(m.value).value_or(std::string());
    }
    return {};
}

}  // namespace

result<chat_request> parse_plain_request(std::string_view body, plain_endpoint endpoint) {
    const std::size_t first = body.find_first_not_of(" \t\r\n");
    if (first == std::string_view::npos || body[first] != '{') {
        return base::client_error(errc::bad_request, "The body must be a JSON object.");
    }
    chat_request request;
    bool input = false;
    http::json_reader members(body);
    while (const json_member* m = members.next()) {
        input = input || is_named(*m, "input");
        const field_match match = match_field(*m);
        if (match.field == chat_field::model || match.field == chat_field::stream) {
            const result<void> ok = take(*m, match, request);
            if (!ok) {
                return ok.error();
            }
        }
    }
    if (!members.ok()) {
        return base::client_error(errc::bad_request,
                                  "The body is not valid JSON: " + http::describe(body, members.error()) + ".");
    }
    if (request.model_text.empty()) {
        return missing("model");
    }
    if (!input && endpoint == plain_endpoint::embeddings) {
        return missing("input");
    }
    return request;
}

bool has_endpoint(std::string_view provider, plain_endpoint endpoint) noexcept {
    if (provider == "anthropic" || provider == "google") {
        return false;
    }
    return provider != "minimax" || endpoint == plain_endpoint::responses;
}

std::string_view path_of(plain_endpoint endpoint) noexcept {
    return endpoint == plain_endpoint::embeddings ? "/embeddings" : "/responses";
}

base::error no_endpoint(std::string_view provider, plain_endpoint endpoint) {
    const bool embeddings = endpoint == plain_endpoint::embeddings;
    return refuse("model", "The provider '" + std::string(provider) + "' of this model has no " +
                               (embeddings ? "embeddings" : "Responses API") + ". Models of " +
                               (embeddings ? "openai, openrouter and x-ai do, e.g. 'text-embedding-3-small'."
                                           : "openai, openrouter, x-ai and minimax do, e.g. 'gpt'."));
}

}  // namespace concurred::upstream
