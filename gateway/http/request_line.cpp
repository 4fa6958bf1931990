#include "gateway/http/request_line.hpp"

#include "gateway/http/characters.hpp"

#include <string>

namespace concurred::http {

using base::client_error;
using base::errc;
using base::result;

base::error malformed(const char* what) {
    return client_error(errc::bad_request, std::string("Malformed HTTP request: ") + what + '.');
}

namespace {

constexpr bool is_digit(char c) noexcept {
    return c >= '0' && c <= '9';
}

result<void> check_target_octets(std::string_view target) {
    for (std::size_t i = 0; i < target.size(); ++i) {
        if (!is_octet(target[i], octet_target)) {
            return malformed("the target holds a character that must be percent-encoded");
        }
        if (target[i] != '%') {
            continue;
        }
        if (i + 2 >= target.size() || !is_octet(target[i + 1], octet_hex) || !is_octet(target[i + 2], octet_hex)) {
            return malformed("the target holds a '%' that is not followed by two hexadecimal digits");
        }
        const char low = target[i + 2];
        if (target[i + 1] == '0' && (low == '0' || low == 'a' || low == 'A' || low == 'd' || low == 'D')) {
            return malformed("the target holds an encoded control character");
        }
    }
    return {};
}

}  // namespace

result<void> parse_request_line(std::string_view line, const head_limits& limits, request_line& head) {
    const auto first = line.find(' ');
    const auto last = line.rfind(' ');
    if (first == std::string_view::npos || !all_octets(line.substr(0, first), octet_token)) {
        return malformed("the request line does not begin with a method");
    }
    if (first > longest_method) {
        return malformed("the method is too long");
    }
    if (last == first) {
        return malformed("the request line needs a method, a target and a version");
    }
    head.method_text = line.substr(0, first);
    head.method = boost::beast::http::string_to_verb(head.method_text);
    head.target = line.substr(first + 1, last - first - 1);
    if (head.target.size() > limits.target_bytes) {
        return client_error(errc::uri_too_long,
                            "The request target is longer than " + std::to_string(limits.target_bytes) + " bytes.");
    }
    const auto version = line.substr(last + 1);
    if (version.size() != 8 || !version.starts_with("HTTP/") || version[6] != '.' || !is_digit(version[5]) ||
        !is_digit(version[7])) {
        return malformed("the version must be HTTP/1.0 or HTTP/1.1");
    }
    if (version != "HTTP/1.1" && version != "HTTP/1.0") {
        return client_error(errc::version_unsupported, {});
    }
    head.version = version == "HTTP/1.1" ? 11 : 10;
    if (head.target.empty()) {
        return malformed("the target is empty");
    }
    return check_target_octets(head.target);
}

}  // namespace concurred::http
