#include "gateway/http/error_body.hpp"

#include "gateway/http/json_scan.hpp"
#include "gateway/http/json_string.hpp"

#include <algorithm>
#include <array>

namespace concurred::http {

namespace {

void append_error(std::string& out, const base::error& e) {
    const base::errc_traits& traits = base::traits_of(e.code);
    out += R"({"error":{"code":)";
    append_json_string(out, e.upstream_code.empty() ? traits.code : std::string_view(e.upstream_code));
    out += R"(,"message":)";
    append_json_string(out, base::text_of(e));
    out += R"(,"type":)";
    append_json_string(out, e.upstream_type.empty() ? traits.type : std::string_view(e.upstream_type));
    out += R"(,"param":)";
    if (e.param.empty()) {
        out += "null";
    } else {
        append_json_string(out, e.param);
    }
    out += R"(,"details":)";
    const std::size_t details = out.size();
    out += is_json_object(e.details) ? std::string_view(e.details) : std::string_view("{}");
    // A line end is white space in JSON, but would cut an event in two.
    std::replace_if(
        out.begin() + static_cast<std::ptrdiff_t>(details), out.end(), [](char c) { return c == '\n' || c == '\r'; },
        ' ');
    out += "}}";
}

/// Anthropic's type of an error. Its own types come through from its provider.
std::string_view anthropic_type(const base::error& e) noexcept {
    constexpr std::array<std::string_view, 9> known{
        "invalid_request_error", "authentication_error", "billing_error", "permission_error", "not_found_error",
        "request_too_large",     "rate_limit_error",     "api_error",     "overloaded_error"};
    const unsigned status = base::status_of(e);
    if (e.upstream_code == "upstream_overloaded" || status == 529) {
        return "overloaded_error";
    }
    if (std::find(known.begin(), known.end(), e.upstream_type) != known.end() && status != 404) {
        return e.upstream_type;
    }
    switch (status) {
        case 401:
            return "authentication_error";
        case 402:
            return "billing_error";
        case 403:
            return "permission_error";
        case 404:
            return "not_found_error";
        case 413:
            return "request_too_large";
        case 429:
            return "rate_limit_error";
        case 504:
            return "timeout_error";
        default:
            return status >= 500 ? "api_error" : "invalid_request_error";
    }
}

void append_anthropic_error(std::string& out, const base::error& e, std::string_view request_id) {
    out += R"({"type":"error","error":{"type":)";
    append_json_string(out, anthropic_type(e));
    out += R"(,"message":)";
    append_json_string(out, base::text_of(e));
    out += R"(},"request_id":)";
    if (request_id.empty()) {
        out += "null";
    } else {
        append_json_string(out, request_id);
    }
    out += '}';
}

}  // namespace

std::string render_error(const base::error& e, api_form form, std::string_view request_id) {
    std::string out;
    if (form == api_form::openai) {
        append_error(out, e);
    } else {
        append_anthropic_error(out, e, request_id);
    }
    return out;
}

std::string render_error_event(const base::error& e, api_form form, std::string_view request_id) {
    return (form == api_form::openai ? "data: " : "event: error\ndata: ") + render_error(e, form, request_id) + "\n\n";
}

}  // namespace concurred::http
