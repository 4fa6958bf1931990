#include "gateway/pipeline/cross_site.hpp"

#include "gateway/http/response.hpp"

#include <algorithm>

namespace concurred::pipeline {

namespace {

using base::client_error;
using base::errc;

constexpr std::size_t longest_header_list = 256;

/// The one value of a field; several lines of it are as none that could be trusted.
struct single {
    std::string_view value;
    std::size_t count = 0;
};

single find_single(const http::request_head& head, std::string_view name) noexcept {
    single found;
    for (const http::field& f : head.fields()) {
        if (f.name.size() == name.size() && http::iequals(f.name, name)) {
            found.value = f.value;
            ++found.count;
        }
    }
    return found;
}

bool is_allowed(std::string_view origin, const origin_rules& rules) noexcept {
    return std::find(rules.allowed.begin(), rules.allowed.end(), origin) != rules.allowed.end();
}

bool is_own(std::string_view origin, std::string_view host, const origin_rules& rules) noexcept {
    if (!rules.own.empty() && origin == rules.own) {
        return true;
    }
    const std::string_view scheme = rules.tls ? "https://" : "http://";
    return !host.empty() && origin.starts_with(scheme) && http::iequals(origin.substr(scheme.size()), host);
}

bool declares_json(const http::request_head& head) noexcept {
    std::string_view type = head.find("content-type");
    type = type.substr(0, type.find(';'));
    while (type.ends_with(' ') || type.ends_with('\t')) {
        type.remove_suffix(1);
    }
    return http::iequals(type, http::json_type);
}

base::error foreign() {
    return client_error(
        errc::forbidden,
        "This request comes from a page of another origin. With a session cookie only the gateway's own "
        "pages may change something, and those of the origins in session.allowed_origins.");
}

std::vector<std::string> split(std::string_view list) {
    std::vector<std::string> parts;
    while (!list.empty()) {
        const std::size_t end = std::min(list.find_first_of(" ,"), list.size());
        if (end != 0) {
            parts.emplace_back(list.substr(0, end));
        }
        list.remove_prefix(std::min(end + 1, list.size()));
    }
    return parts;
}

bool is_field_name_list(std::string_view text) noexcept {
    return !text.empty() && text.size() <= longest_header_list && std::ranges::all_of(text, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
               c == ',' || c == ' ';
    });
}

}  // namespace

origin_rules make_origin_rules(const base::config& settings) {
    origin_rules rules;
    rules.allowed = split(settings.session.allowed_origins);
    // An origin has no path.
    const std::string& url = settings.session.public_url;
    const std::size_t host = url.find("://");
    rules.own = host == std::string::npos ? std::string() : url.substr(0, url.find('/', host + 3));
    rules.tls = !settings.server.tls_certificate.empty();
    rules.strict = settings.session.strict_origin;
    return rules;
}

base::result<void> check_cross_site(const http::request_head& head, const origin_rules& rules) {
    const single site = find_single(head, "sec-fetch-site");
    const single origin = find_single(head, "origin");
    if (site.count > 1 || origin.count > 1) {
        return foreign();
    }
    const bool listed = origin.count == 1 && is_allowed(origin.value, rules);
    if (site.count == 1) {
        if (site.value != "same-origin" && site.value != "none" && !listed) {
            return foreign();
        }
    } else if (origin.count == 1) {
        if (!listed && !is_own(origin.value, head.host, rules)) {
            return foreign();
        }
    } else if (rules.strict) {
        return client_error(errc::forbidden,
                            "This request does not say where it comes from (no Origin), which session.strict_origin "
                            "asks for.");
    }
    if (head.has_body() && !declares_json(head)) {
        return client_error(errc::unsupported_media_type, {});
    }
    return {};
}

void allow_origin(http::exchange& x, const origin_rules& rules) {
    x.headers.field("Vary", "Origin");
    const single origin = find_single(x.head, "origin");
    if (origin.count == 1 && is_allowed(origin.value, rules)) {
        x.headers.field("Access-Control-Allow-Origin", origin.value);
        x.headers.field("Access-Control-Allow-Credentials", "true");
        x.headers.field("Access-Control-Expose-Headers",
                        "X-Request-ID, Retry-After, X-RateLimit-Limit, "
                        "X-RateLimit-Remaining, X-RateLimit-Reset, Server-Timing");
    }
}

void answer_preflight(http::exchange& x, const origin_rules& rules, std::string_view methods) {
    const single origin = find_single(x.head, "origin");
    if (origin.count != 1 || !is_allowed(origin.value, rules) || x.head.find("access-control-request-method").empty()) {
        return;
    }
    x.headers.field("Access-Control-Allow-Methods", methods);
    if (const auto wanted = x.head.find("access-control-request-headers"); is_field_name_list(wanted)) {
        x.headers.field("Access-Control-Allow-Headers", wanted);
    }
    x.headers.field("Access-Control-Max-Age", "600");
}

}  // namespace concurred::pipeline
