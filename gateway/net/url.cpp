#include "gateway/net/url.hpp"

#include "gateway/http/characters.hpp"
#include "gateway/http/request_head.hpp"

#include <boost/asio/ip/address.hpp>

#include <charconv>

namespace concurred::net {

namespace {

constexpr std::size_t longest_name = 253;  // RFC 1035 2.3.4, written out

base::error fault(const char* what) {
    return base::gateway_error(base::errc::internal, std::string("the URL ") + what);
}

constexpr std::uint16_t default_port(bool tls) noexcept {
    return tls ? 443 : 80;
}

bool valid_name(std::string_view name) noexcept {
    return name.size() <= longest_name && name.front() != '.' && name.find("..") == std::string_view::npos &&
           http::all_octets(name, http::octet_host) && name.find('~') == std::string_view::npos;
}

bool valid_path(std::string_view path) noexcept {
    return (path.empty() || http::all_octets(path, http::octet_target)) && path.find('?') == std::string_view::npos;
}

base::result<void> parse_host(std::string_view& authority, url& u) {
    if (authority.starts_with('[')) {
        const auto end = authority.find(']');
        boost::system::error_code ec;
        const std::string_view address = authority.substr(1, end - 1);
        static_cast<void>(boost::asio::ip::make_address_v6(address, ec));
        // A zone ("%eth0") means something on this machine only and cannot be sent in a Host field.
        if (end == std::string_view::npos || ec || address.find('%') != std::string_view::npos) {
            return fault("has no valid IPv6 address between '[' and ']'");
        }
        u.host = address;
        authority.remove_prefix(end + 1);
        return {};
    }
    const std::string_view name = authority.substr(0, authority.find(':'));
    if (name.empty() || !valid_name(name)) {
        return fault("has no valid host");
    }
    u.host = name;
    for (char& c : u.host) {
        c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    }
    authority.remove_prefix(name.size());
    return {};
}

base::result<void> parse_port(std::string_view text, url& u) {
    if (text.empty()) {
        u.port = default_port(u.tls);
        return {};
    }
    const char* const end = text.data() + text.size();
    const auto [stopped, ec] = std::from_chars(text.data() + 1, end, u.port);
    if (text.front() != ':' || ec != std::errc() || stopped != end || u.port == 0) {
        return fault("has a port that is not 1 to 65535");
    }
    return {};
}

}  // namespace

std::string url::host_header() const {
    std::string value = host.find(':') != std::string::npos ? '[' + host + ']' : host;
    if (port != default_port(tls)) {
        value += ':' + std::to_string(port);
    }
    return value;
}

base::result<url> parse_url(std::string_view text) {
    url u;
    const auto scheme_end = text.find("://");
    const std::string_view scheme = text.substr(0, scheme_end);
    u.tls = http::iequals(scheme, "https");
    if (scheme_end == std::string_view::npos || (!u.tls && !http::iequals(scheme, "http"))) {
        return fault("must begin with http:// or https://");
    }
    text.remove_prefix(scheme_end + 3);
    if (text.find_first_of("?#") != std::string_view::npos) {
        return fault("must not have a query or a fragment");
    }
    std::string_view authority = text.substr(0, text.find('/'));
    std::string_view path = text.substr(authority.size());
    if (authority.find('@') != std::string_view::npos) {
        return fault("must not have a user or a password");
    }
    if (const auto host = parse_host(authority, u); !host) {
        return host.error();
    }
    if (const auto port = parse_port(authority, u); !port) {
        return port.error();
    }
    while (path.ends_with('/')) {
        path.remove_suffix(1);
    }
    if (!valid_path(path)) {
        return fault("has a character in its path that must be percent-encoded");
    }
    u.path = path;
    return u;
}

}  // namespace concurred::net
