#include "gateway/pipeline/router.hpp"

#include "gateway/pipeline/ready.hpp"

#include <algorithm>
#include <array>
#include <string>

namespace concurred::pipeline {

namespace {

using base::client_error;
using base::errc;
using http::verb;

constexpr std::string_view parameter = ":id";

bool takes(const endpoint& e, std::string_view path) noexcept {
    const std::size_t at = e.path.find(parameter);
    if (at == std::string_view::npos) {
        return path == e.path;
    }
    if (path.size() <= at || !path.starts_with(e.path.substr(0, at))) {
        return false;
    }
    if (e.rest) {
        return true;
    }
    const auto behind = e.path.substr(at + parameter.size());
    const auto value = path_parameter(e, path);
    return !value.empty() && path.substr(at + value.size()) == behind;
}

bool serves(const endpoint& e, verb method) noexcept {
    return e.method == method || (method == verb::head && e.method == verb::get);
}

bool asks(const endpoint& e, std::string_view query) noexcept {
    if (e.query.empty()) {
        return true;
    }
    while (!query.empty()) {
        const std::size_t end = std::min(query.find('&'), query.size());
        if (query.substr(0, end) == e.query) {
            return true;
        }
        query.remove_prefix(std::min(end + 1, query.size()));
    }
    return false;
}

base::error not_found(std::string_view path) {
    if (path.starts_with("/v1/") || path == "/v1") {
        return client_error(errc::not_found,
                            "The base URL of this API is /api/v1, not /v1: set it to http://HOST/api/v1.");
    }
    return client_error(errc::not_found, {});
}

}  // namespace

std::string_view path_parameter(const endpoint& e, std::string_view path) noexcept {
    const auto value = path.substr(std::min(path.size(), e.path.find(parameter)));
    return e.rest ? value : value.substr(0, value.find('/'));
}

base::task<base::result<http::response>> router::handle(http::exchange& x) {
    if (origins_ != nullptr) {
        allow_origin(x, *origins_);
    }
    for (const endpoint& e : table_) {
        if (serves(e, x.head.method) && takes(e, x.head.path) && asks(e, x.head.query)) {
            x.endpoint = &e;
            x.route = e.path;
            x.form = e.form;
            return next_.handle(x);
        }
    }
    return ready(without_endpoint(x));
}

base::result<http::response> router::without_endpoint(http::exchange& x) const {
    std::string allowed;
    const auto allow = [&allowed](std::string_view method) {
        if (allowed.find(method) == std::string::npos) {
            allowed += allowed.empty() ? "" : ", ";
            allowed += method;
        }
    };
    for (const endpoint& e : table_) {
        if (x.head.path != "*" && !takes(e, x.head.path)) {
            continue;
        }
        if (x.head.path != "*") {
            x.route = e.path;
            x.form = e.form;
        }
        const auto name = boost::beast::http::to_string(e.method);
        allow({name.data(), name.size()});
        if (e.method == verb::get) {
            allow("HEAD");
        }
    }
    if (allowed.empty()) {
        return not_found(x.head.path);
    }
    allow("OPTIONS");
    x.headers.field("Allow", allowed);
    if (x.head.method == verb::options) {
        if (origins_ != nullptr) {
            answer_preflight(x, *origins_, allowed);
        }
        http::response r;
        r.status = 204;
        return r;
    }
    if (x.head.method == verb::unknown) {
        return client_error(errc::not_implemented, "The method is not known to this server.");
    }
    return client_error(errc::method_not_allowed, "This method is not allowed here. Allowed: " + allowed + ".");
}

}  // namespace concurred::pipeline
