#include "gateway/http/request_head.hpp"

#include "gateway/http/characters.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <string>
#include <utility>

namespace concurred::http {

namespace {

using base::client_error;
using base::errc;
using base::error;
using base::result;

constexpr char lower(char c) noexcept {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

std::string_view trim(std::string_view text) noexcept {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) {
        text.remove_prefix(1);
    }
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) {
        text.remove_suffix(1);
    }
    return text;
}

bool valid_port(std::string_view port) noexcept {
    return port.size() <= 5 && (port.empty() || port.find_first_not_of("0123456789") == std::string_view::npos);
}

// RFC 9110 7.2: host [ ":" port ], without userinfo, lists or paths.
bool valid_host(std::string_view host) noexcept {
    if (host.starts_with('[')) {
        const auto end = host.find(']');
        if (end == std::string_view::npos || end < 3 ||
            host.substr(1, end - 1).find_first_not_of("0123456789abcdefABCDEF:.") != std::string_view::npos) {
            return false;
        }
        const auto rest = host.substr(end + 1);
        return rest.empty() || (rest.front() == ':' && valid_port(rest.substr(1)));
    }
    const auto colon = host.find(':');
    const auto port = colon == std::string_view::npos ? std::string_view() : host.substr(colon + 1);
    return all_octets(host.substr(0, colon), octet_host) && valid_port(port);
}

// RFC 9112 3.2: origin-form, absolute-form for any method, "*" for OPTIONS only. CONNECT is not offered.
result<void> split_target(request_head& head) {
    std::string_view rest = head.target;
    if (rest == "*") {
        if (head.method != verb::options) {
            return malformed("the target '*' belongs to OPTIONS");
        }
        head.path = rest;
        return {};
    }
    if (!rest.starts_with('/')) {
        const std::size_t scheme = rest.starts_with("http://") ? 7 : rest.starts_with("https://") ? 8 : 0;
        if (scheme == 0) {
            return malformed("the target must begin with '/'");
        }
        rest.remove_prefix(scheme);
        const auto slash = rest.find_first_of("/?");
        const auto authority = rest.substr(0, slash);
        if (!iequals(authority, head.host)) {
            return malformed("the target names another host than the Host header");
        }
        rest = slash == std::string_view::npos ? std::string_view("/") : rest.substr(slash);
    }
    const auto question = rest.find('?');
    head.path = rest.substr(0, question);
    head.query = question == std::string_view::npos ? std::string_view() : rest.substr(question + 1);
    return {};
}

// What of a head was there already.
struct seen {
    bool host = false;
    bool coding = false;
    bool close = false;
};

result<void> read_connection(std::string_view value, request_head& head, seen& before) {
    while (!value.empty()) {
        const auto comma = value.find(',');
        const auto option = trim(value.substr(0, comma));
        if (iequals(option, "close")) {
            head.keep_alive = false;
            before.close = true;
        } else if (iequals(option, "keep-alive")) {
            head.keep_alive = !before.close;
        } else if (!option.empty() && !all_octets(option, octet_token)) {
            return malformed("the Connection header is not a list of options");
        }
        value = comma == std::string_view::npos ? std::string_view() : value.substr(comma + 1);
    }
    return {};
}

result<void> read_content_length(std::string_view value, request_head& head) {
    if (head.content_length) {
        return malformed("Content-Length is given twice");
    }
    std::uint64_t length = 0;
    const auto end = value.data() + value.size();
    const auto parsed = std::from_chars(value.data(), end, length);
    const bool leading_zero = value.size() > 1 && value.front() == '0';
    if (value.empty() || parsed.ec != std::errc() || parsed.ptr != end || leading_zero || value.front() == '-' ||
        length > static_cast<std::uint64_t>(INT64_MAX)) {
        return malformed("Content-Length must be one decimal number");
    }
    head.content_length = length;
    return {};
}

// Fields that decide where the message ends or whom it is for. Everything else is left to the handlers.
result<void> interpret(const field& f, request_head& head, seen& before) {
    switch (f.name.size()) {
        case 4:
            if (iequals(f.name, "host")) {
                if (std::exchange(before.host, true)) {
                    return malformed("Host is given twice");
                }
                if (!valid_host(f.value)) {
                    return malformed("the Host header is not one host name with an optional port");
                }
                head.host = f.value;
            }
            break;
        case 6:
            if (iequals(f.name, "expect") && head.version == 11) {
                if (!iequals(f.value, "100-continue")) {
                    return client_error(errc::expectation_failed, {});
                }
                head.expect_continue = true;
            }
            break;
        case 10:
            if (iequals(f.name, "connection")) {
                return read_connection(f.value, head, before);
            }
            break;
        case 14:
            if (iequals(f.name, "content-length")) {
                return read_content_length(f.value, head);
            }
            // Servers behind us may read '_' as '-': such a name is never innocent.
            if (iequals(f.name, "content_length")) {
                return malformed("a header name must not imitate Content-Length");
            }
            break;
        case 17:
            if (iequals(f.name, "transfer-encoding")) {
                if (std::exchange(before.coding, true) || !iequals(f.value, "chunked")) {
                    return malformed("Transfer-Encoding must be 'chunked', given once");
                }
                head.chunked = true;
            }
            if (iequals(f.name, "transfer_encoding")) {
                return malformed("a header name must not imitate Transfer-Encoding");
            }
            break;
        default:
            break;
    }
    return {};
}

result<void> parse_field(std::string_view line, field& f) {
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) {
        return malformed("a header line has no colon");
    }
    f.name = line.substr(0, colon);
    if (!all_octets(f.name, octet_token)) {
        return malformed("a header name is empty or holds a character that is not allowed");
    }
    f.value = trim(line.substr(colon + 1));
    for (const char c : f.value) {
        if (!is_octet(c, octet_value)) {
            return malformed("a header value holds a control character");
        }
    }
    return {};
}

error too_many_fields(const head_limits& limits) {
    return client_error(errc::header_fields_too_large,
                        "The request has more than " + std::to_string(limits.fields) + " header fields.");
}

}  // namespace

bool iequals(std::string_view a, std::string_view b) noexcept {
    if (a.size() != b.size()) {
        return false;
    }
    for (std::size_t i = 0; i < a.size(); ++i) {
        if (lower(a[i]) != lower(b[i])) {
            return false;
        }
    }
    return true;
}

std::string_view request_head::find(std::string_view name) const noexcept {
    for (const field& f : fields()) {
        if (iequals(f.name, name)) {
            return f.value;
        }
    }
    return {};
}

void request_head::clear() noexcept {
    method = verb::unknown;
    method_text = target = path = query = host = {};
    version = 11;
    keep_alive = true;
    chunked = expect_continue = false;
    content_length.reset();
    count_ = 0;
}

bool request_head::add(field f) noexcept {
    if (count_ == max_fields) {
        return false;
    }
    fields_[count_++] = f;
    return true;
}

base::result<head_scanner::status> head_scanner::scan(std::string_view bytes, const head_limits& limits) {
    while (searched_ < bytes.size()) {
        const void* found = std::memchr(bytes.data() + searched_, '\n', bytes.size() - searched_);
        if (found == nullptr) {
            searched_ = bytes.size();
            break;
        }
        const auto end = static_cast<std::size_t>(static_cast<const char*>(found) - bytes.data());
        const auto line = bytes.substr(scanned_, end - scanned_);
        if (line.empty() || line.back() != '\r') {
            return malformed("a line ends in a bare line feed");
        }
        const auto text = line.substr(0, line.size() - 1);
        if (text.find('\r') != std::string_view::npos) {
            return malformed("a line holds a bare carriage return");
        }
        if (end + 1 > limits.head_bytes) {
            break;
        }
        if (lines_ == 0) {
            request_line unused;
            if (auto ok = parse_request_line(text, limits, unused); !ok) {
                return ok.error();
            }
        }
        scanned_ = searched_ = end + 1;
        if (text.empty()) {
            return status::complete;
        }
        if (lines_++ > limits.fields) {
            return too_many_fields(limits);
        }
    }
    if (lines_ == 0) {
        // Garbage and other protocols show before the first line ends.
        const auto method = bytes.substr(0, std::min(bytes.find(' '), bytes.size()));
        if (!method.empty() &&
            (!all_octets(method.substr(0, longest_method), octet_token) && method.find_first_of("\r\n") != 0)) {
            return malformed("the request line does not begin with a method");
        }
        if (method.size() > longest_method) {
            return malformed("the method is too long");
        }
        if (bytes.size() > limits.target_bytes + longest_method + 16) {
            return client_error(errc::uri_too_long,
                                "The request target is longer than " + std::to_string(limits.target_bytes) + " bytes.");
        }
    }
    if (bytes.size() > limits.head_bytes) {
        return client_error(errc::header_fields_too_large,
                            "The request headers are larger than " + std::to_string(limits.head_bytes) + " bytes.");
    }
    return status::need_more;
}

base::result<void> parse_request_head(std::string_view bytes, const head_limits& limits, request_head& head) {
    head.clear();
    std::size_t at = bytes.find("\r\n");
    if (at == std::string_view::npos) {
        return malformed("the head is incomplete");
    }
    if (auto ok = parse_request_line(bytes.substr(0, at), limits, head); !ok) {
        return ok;
    }
    head.keep_alive = head.version == 11;
    seen before;
    for (at += 2;;) {
        const auto end = bytes.find("\r\n", at);
        if (end == std::string_view::npos) {
            return malformed("the head is incomplete");
        }
        if (end == at) {
            break;
        }
        const auto line = bytes.substr(at, end - at);
        at = end + 2;
        if (line.front() == ' ' || line.front() == '\t') {
            return malformed("a header is folded over several lines");
        }
        field f;
        if (auto ok = parse_field(line, f); !ok) {
            return ok;
        }
        if (head.fields().size() >= limits.fields || !head.add(f)) {
            return too_many_fields(limits);
        }
        if (auto ok = interpret(f, head, before); !ok) {
            return ok;
        }
    }
    if (!before.host && head.version == 11) {
        return malformed("the Host header is missing");
    }
    if (head.chunked && (head.content_length || head.version == 10)) {
        return malformed(head.content_length ? "Content-Length and Transfer-Encoding exclude each other"
                                             : "HTTP/1.0 has no Transfer-Encoding");
    }
    if (head.method == verb::connect) {
        return malformed("CONNECT is not offered");
    }
    return split_target(head);
}

}  // namespace concurred::http
