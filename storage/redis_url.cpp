#include "storage/redis_url.hpp"

#include <charconv>
#include <optional>

namespace concurred::storage {

namespace {

using base::result;

constexpr std::uint16_t server_port = 6379;
constexpr std::uint16_t sentinel_port = 26379;
constexpr std::size_t longest_socket_path = 107;  // sockaddr_un

base::error fault(const char* what) {
    return base::gateway_error(base::errc::internal, std::string("the URL of Redis ") + what);
}

int hex_digit(char c) noexcept {
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    const char lower = static_cast<char>(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

std::optional<std::string> percent_decoded(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            out += text[i];
            continue;
        }
        const int high = i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
        const int low = i + 2 < text.size() ? hex_digit(text[i + 2]) : -1;
        if (high < 0 || low < 0) {
            return std::nullopt;
        }
        out += static_cast<char>(high * 16 + low);
        i += 2;
    }
    return out;
}

template <class Integer>
bool parse_whole(std::string_view text, Integer& into) noexcept {
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), into);
    return !text.empty() && ec == std::errc() && end == text.data() + text.size();
}

result<void> parse_user(std::string_view text, redis_url& url) {
    const std::size_t colon = text.find(':');
    const auto user = percent_decoded(text.substr(0, colon));
    const auto password = percent_decoded(colon == std::string_view::npos ? "" : text.substr(colon + 1));
    if (!user || !password) {
        return fault("has a '%' in its user or password that two hexadecimal digits do not follow");
    }
    if (password->empty()) {
        return fault("has a user without a password, allowed: [user]:password@");
    }
    url.user = *user;
    url.password = *password;
    return {};
}

result<redis_address> parse_address(std::string_view text, std::uint16_t port) {
    redis_address address{{}, port};
    std::string_view rest;
    if (text.starts_with('[')) {
        const std::size_t end = text.find(']');
        if (end == std::string_view::npos) {
            return fault("has a '[' without a ']'");
        }
        address.host = text.substr(1, end - 1);
        rest = text.substr(end + 1);
    } else {
        const std::size_t colon = text.find(':');
        address.host = text.substr(0, colon);
        rest = colon == std::string_view::npos ? std::string_view() : text.substr(colon);
    }
    static constexpr std::string_view allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._:%";
    if (address.host.empty() || address.host.find_first_not_of(allowed) != std::string::npos) {
        return fault("has no valid host, allowed: host[:port], several separated by ','");
    }
    if (!rest.empty() && (rest.front() != ':' || !parse_whole(rest.substr(1), address.port) || address.port == 0)) {
        return fault("has a port that is not 1 to 65535");
    }
    return address;
}

result<void> parse_hosts(std::string_view text, std::uint16_t port, redis_url& url) {
    for (bool more = true; more;) {
        const std::size_t comma = text.find(',');
        auto address = parse_address(text.substr(0, comma), port);
        if (!address) {
            return address.error();
        }
        url.hosts.push_back(std::move(*address));
        more = comma != std::string_view::npos;
        text.remove_prefix(more ? comma + 1 : text.size());
    }
    return {};
}

result<void> parse_database(std::string_view text, redis_url& url) {
    if (!text.empty() && !parse_whole(text, url.database)) {
        return fault("has a database that is no number");
    }
    return {};
}

result<redis_url> parse_unix(std::string_view rest, redis_url url) {
    constexpr std::string_view option = "db=";
    const std::size_t question = rest.find('?');
    const std::string_view path = rest.substr(0, question);
    if (!path.starts_with('/') || path.size() > longest_socket_path) {
        return fault("has no absolute path of a socket, allowed: unix:///path of at most 107 characters");
    }
    url.via = redis_url::transport::unix_socket;
    url.hosts.push_back({std::string(path), 0});
    if (question != std::string_view::npos) {
        const std::string_view query = rest.substr(question + 1);
        if (!query.starts_with(option)) {
            return fault("has an unknown option, allowed: ?db=NUMBER");
        }
        if (auto ok = parse_database(query.substr(option.size()), url); !ok) {
            return ok.error();
        }
    }
    return url;
}

}  // namespace

result<redis_url> parse_redis_url(std::string_view text, bool sentinels) {
    constexpr std::string_view separator = "://";
    const std::size_t scheme_end = text.find(separator);
    const std::string_view scheme = text.substr(0, scheme_end == std::string_view::npos ? 0 : scheme_end);
    if (scheme != "redis" && scheme != "rediss" && scheme != "unix") {
        return fault("has no known scheme, allowed: redis://, rediss://, unix://");
    }
    std::string_view rest = text.substr(scheme_end + separator.size());
    redis_url url;
    // A password may hold an '@' only as %40, but a forgiving reader of the last one costs nothing.
    if (const std::size_t at = rest.rfind('@'); at != std::string_view::npos) {
        if (auto ok = parse_user(rest.substr(0, at), url); !ok) {
            return ok.error();
        }
        rest.remove_prefix(at + 1);
    }
    if (scheme == "unix") {
        return sentinels ? fault("is a Unix socket, allowed with a Sentinel: redis://, rediss://")
                         : parse_unix(rest, std::move(url));
    }
    url.via = scheme == "rediss" ? redis_url::transport::tls : redis_url::transport::tcp;
    const std::size_t slash = rest.find('/');
    if (auto ok = parse_hosts(rest.substr(0, slash), sentinels ? sentinel_port : server_port, url); !ok) {
        return ok.error();
    }
    if (auto ok = parse_database(slash == std::string_view::npos ? "" : rest.substr(slash + 1), url); !ok) {
        return ok.error();
    }
    return url;
}

}  // namespace concurred::storage
