#pragma once

#include "gateway/http/exchange.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace concurred::pipeline {

/// Which pages of the web may use a session, and which may read answers at all.
struct origin_rules {
    std::vector<std::string> allowed;  ///< exact origins, "https://app.example.com", besides the gateway's own
    std::string own;                   ///< the gateway's own origin where it is known; empty: from the Host header
    bool tls = false;                  ///< whether the gateway's own listener speaks TLS
    bool strict = false;               ///< refuse what does not say where it comes from
};

/// The rules for the configuration `[session]` and the listener.
[[nodiscard]] origin_rules make_origin_rules(const base::config& settings);

/// Refuses requests that a foreign page makes with the cookie of its visitor. For methods that change something.
/// Browsers say where a request comes from: `Sec-Fetch-Site` must be "same-origin" or "none", or the `Origin` must be
/// on the list; without it, `Origin` must be on the list or the gateway's own; with neither it is no browser.
/// "same-site" is not trusted: other names below one domain may belong to others. And a body must be declared as JSON,
/// which a form cannot do. Errors: forbidden, unsupported_media_type. Source: identity.md 3.6.
[[nodiscard]] base::result<void> check_cross_site(const http::request_head& head, const origin_rules& rules);

/// Lets pages of the allowed origins read the answer: CORS (fetch.spec.whatwg.org), exact origins, never a reflected
/// one. Nothing for a request without an allowed `Origin`, but `Vary`.
void allow_origin(http::exchange& x, const origin_rules& rules);

/// Adds what a preflight asks for, when the origin is allowed. @param methods "GET, POST"
void answer_preflight(http::exchange& x, const origin_rules& rules, std::string_view methods);

}  // namespace concurred::pipeline
