#pragma once

#include "gateway/base/error.hpp"

#include <boost/beast/http/verb.hpp>

#include <cstddef>
#include <string_view>

namespace concurred::http {

using verb = boost::beast::http::verb;

/// What a head may measure. Beyond it the request is answered 414 or 431 and the connection closed.
struct head_limits {
    std::size_t target_bytes = 8'192;
    std::size_t head_bytes = 32'768;
    std::size_t fields = 100;
};

struct request_line {
    verb method = verb::unknown;
    std::string_view method_text;
    std::string_view target;  ///< as sent
    unsigned version = 11;    ///< 10 or 11
};

/// Methods are tokens without a limit of their own; ours are far shorter.
inline constexpr std::size_t longest_method = 32;

/// The error of a request that is not well formed. `what`: a phrase without a full stop.
[[nodiscard]] base::error malformed(const char* what);

/// Parses a request line without its line end, strictly (RFC 9112 3): single spaces, a target of allowed octets whose
/// escapes are whole and hide no control character, HTTP/1.0 or HTTP/1.1.
/// Errors: bad_request, uri_too_long, version_unsupported.
[[nodiscard]] base::result<void> parse_request_line(std::string_view line, const head_limits& limits,
                                                    request_line& head);

}  // namespace concurred::http
