#include "gateway/base/config_text.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <memory>
#include <utility>

namespace concurred::base {

namespace {

constexpr std::uint64_t largest = std::uint64_t{1} << 53;

struct unit {
    std::string_view name;
    std::uint64_t factor;
};

/// A number directly followed by one of `units`.
template <std::size_t N>
std::optional<std::uint64_t> parse_quantity(std::string_view text, const std::array<unit, N>& units) noexcept {
    std::uint64_t number = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (failure != std::errc{}) {
        return std::nullopt;
    }
    const std::string_view name = text.substr(static_cast<std::size_t>(end - text.data()));
    for (const unit& u : units) {
        if (u.name == name) {
            return number > largest / u.factor ? std::nullopt : std::optional(number * u.factor);
        }
    }
    return std::nullopt;
}

/// The largest unit that divides `value`; units are given from large to small, the last has factor 1.
template <std::size_t N>
std::string quantity_text(std::uint64_t value, const std::array<unit, N>& units) {
    for (const unit& u : units) {
        if (value != 0 && value % u.factor == 0) {
            return std::to_string(value / u.factor).append(u.name);
        }
    }
    return "0";
}

bool is_digit(char c) noexcept {
    return c >= '0' && c <= '9';
}

bool is_name_character(char c) noexcept {
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '.' || c == '_';
}

bool is_address(int family, std::string_view text) {
    std::array<unsigned char, 16> parsed;
    return inet_pton(family, std::string(text).c_str(), parsed.data()) == 1;
}

/// Splits "host:port" and "[host]:port"; no port gives an empty one.
struct host_and_port {
    std::string_view host;
    std::string_view port;
    bool bracketed = false;
    bool colon = false;  ///< a port was announced, even if none follows
};

std::optional<host_and_port> split_authority(std::string_view text) noexcept {
    host_and_port parts;
    if (text.starts_with('[')) {
        const std::size_t close = text.find(']');
        if (close == std::string_view::npos) {
            return std::nullopt;
        }
        parts.host = text.substr(1, close - 1);
        parts.bracketed = true;
        text.remove_prefix(close + 1);
        if (!text.empty() && text.front() != ':') {
            return std::nullopt;
        }
    } else {
        parts.host = text.substr(0, text.find(':'));
        text.remove_prefix(parts.host.size());
    }
    parts.colon = !text.empty();
    parts.port = parts.colon ? text.substr(1) : text;
    return parts;
}

/// A host by its form: an address, or a name that has a letter (so that a mistyped address is not taken for a name).
bool is_host(std::string_view host, bool bracketed) {
    if (bracketed) {
        return is_address(AF_INET6, host);
    }
    if (host.empty() || host.size() > 253 || !std::all_of(host.begin(), host.end(), is_name_character)) {
        return false;
    }
    const bool numeric = std::all_of(host.begin(), host.end(), [](char c) { return is_digit(c) || c == '.'; });
    return !numeric || is_address(AF_INET, host);
}

std::optional<std::uint16_t> parse_port(std::string_view text) noexcept {
    std::uint16_t port = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), port);
    return failure == std::errc{} && end == text.data() + text.size() ? std::optional(port) : std::nullopt;
}

}  // namespace

std::optional<milliseconds> parse_duration(std::string_view text) noexcept {
    static constexpr std::array<unit, 5> units{{{"ms", 1}, {"s", 1'000}, {"m", 60'000}, {"h", 3'600'000}, {"", 1'000}}};
    const auto value = parse_quantity(text, units);
    return value ? std::optional(milliseconds(static_cast<std::int64_t>(*value))) : std::nullopt;
}

std::optional<std::uint64_t> parse_size(std::string_view text) noexcept {
    static constexpr std::array<unit, 4> units{{{"", 1}, {"KiB", 1u << 10}, {"MiB", 1u << 20}, {"GiB", 1u << 30}}};
    return parse_quantity(text, units);
}

std::optional<endpoint_config> parse_endpoint(std::string_view text) {
    const auto parts = split_authority(text);
    if (!parts || (!is_host(parts->host, parts->bracketed) && !(parts->host.empty() && !parts->bracketed))) {
        return std::nullopt;
    }
    const auto port = parse_port(parts->port);
    return port ? std::optional(endpoint_config{std::string(parts->host), *port}) : std::nullopt;
}

std::string duration_text(milliseconds duration) {
    static constexpr std::array<unit, 4> units{{{"h", 3'600'000}, {"m", 60'000}, {"s", 1'000}, {"ms", 1}}};
    const std::string text = quantity_text(static_cast<std::uint64_t>(duration.count()), units);
    return text == "0" ? "0s" : text;
}

std::string size_text(std::uint64_t bytes) {
    static constexpr std::array<unit, 4> units{{{"GiB", 1u << 30}, {"MiB", 1u << 20}, {"KiB", 1u << 10}, {"", 1}}};
    return quantity_text(bytes, units);
}

std::optional<std::string> base_url_fault(std::string_view url) {
    static constexpr std::string_view allowed = ", allowed: http(s)://host[:port][/path]";
    const auto fault = [](std::string_view what) { return std::string(what).append(allowed); };
    if (url.starts_with("https://")) {
        url.remove_prefix(8);
    } else if (url.starts_with("http://")) {
        url.remove_prefix(7);
    } else {
        return fault(url.empty() ? "is empty" : "does not begin with http:// or https://");
    }
    if (!std::all_of(url.begin(), url.end(), [](char c) { return c > ' ' && c < 0x7F; })) {
        return fault("has a space or another character that a URL cannot hold");
    }
    if (url.find_first_of("?#") != std::string_view::npos) {
        return fault("has a query or a fragment");
    }
    const std::string_view authority = url.substr(0, url.find('/'));
    if (authority.find('@') != std::string_view::npos) {
        return fault("has a user or a password");
    }
    const auto parts = split_authority(authority);
    if (!parts || !is_host(parts->host, parts->bracketed)) {
        return fault("has no valid host");
    }
    if (parts->colon && parse_port(parts->port).value_or(0) == 0) {
        return fault("has a port that is not 1 to 65535");
    }
    return std::nullopt;
}

file_text read_file(const std::string& path, std::size_t limit) {
    struct close {
        void operator()(std::FILE* f) const noexcept { std::fclose(f); }
    };
    file_text content;
    const std::unique_ptr<std::FILE, close> file(std::fopen(path.c_str(), "rbe"));
    if (!file) {
        content.fault = std::strerror(errno);
        return content;
    }
    std::array<char, 4096> block;
    while (const std::size_t got = std::fread(block.data(), 1, block.size(), file.get())) {
        content.text.append(block.data(), got);
        if (content.text.size() > limit) {
            return {{}, "it is larger than " + size_text(limit)};
        }
    }
    if (std::ferror(file.get()) != 0) {
        return {{}, std::strerror(errno)};
    }
    return content;
}

void trim_line_end(std::string& text) noexcept {
    if (text.ends_with('\n')) {
        text.pop_back();
        if (text.ends_with('\r')) {
            text.pop_back();
        }
    }
}

}  // namespace concurred::base
