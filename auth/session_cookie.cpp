#include "auth/session_cookie.hpp"

#include "crypto/encoding.hpp"
#include "gateway/http/json_scan.hpp"
#include "gateway/http/json_string.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace concurred::auth {

namespace {

constexpr std::string_view encoded_mark = "base64-";
// Host-only, domain, and one left over of each: more copies of a name do not happen by accident.
constexpr std::size_t most_copies = 4;
constexpr std::size_t most_bytes = 64 * 1024;

std::string_view trim(std::string_view text) noexcept {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) {
        text.remove_prefix(1);
    }
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) {
        text.remove_suffix(1);
    }
    return text;
}

int hex_value(char c) noexcept {
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

// As the readers of cookies in JavaScript do: a value with a broken escape stays as it is.
std::string unescape(std::string_view value) {
    if (value.size() >= 2 && value.front() == '"' && value.back() == '"') {
        value = value.substr(1, value.size() - 2);
    }
    std::string out;
    out.reserve(value.size());
    for (std::size_t i = 0; i < value.size(); ++i) {
        if (value[i] != '%') {
            out += value[i];
            continue;
        }
        const int high = i + 2 < value.size() ? hex_value(value[i + 1]) : -1;
        const int low = i + 2 < value.size() ? hex_value(value[i + 2]) : -1;
        if (high < 0 || low < 0) {
            return std::string(value);
        }
        out += static_cast<char>(high * 16 + low);
        i += 2;
    }
    return out;
}

/// Number of the chunk: 0 ... ; nothing when `suffix` is not "." and a number without leading zeros.
std::optional<std::size_t> chunk_number(std::string_view suffix) noexcept {
    if (suffix.size() < 2 || suffix.size() > 4 || suffix[0] != '.' || (suffix[1] == '0' && suffix.size() > 2)) {
        return std::nullopt;
    }
    std::size_t number = 0;
    const auto [end, failure] = std::from_chars(suffix.data() + 1, suffix.data() + suffix.size(), number);
    const bool whole = failure == std::errc{} && end == suffix.data() + suffix.size();
    return whole ? std::optional(number) : std::nullopt;
}

template <class Visit>
void each_cookie(std::span<const std::string_view> lines, std::string_view name, Visit visit) {
    for (std::string_view line : lines) {
        while (!line.empty()) {
            const std::size_t end = std::min(line.find(';'), line.size());
            const std::string_view pair = line.substr(0, end);
            line.remove_prefix(std::min(end + 1, line.size()));
            const std::size_t equals = pair.find('=');
            if (equals == std::string_view::npos) {
                continue;
            }
            const std::string_view key = trim(pair.substr(0, equals));
            if (key.starts_with(name)) {
                visit(key.substr(name.size()), trim(pair.substr(equals + 1)));
            }
        }
    }
}

struct found_cookies {
    std::vector<std::string_view> whole;
    std::array<std::vector<std::string_view>, max_cookie_chunks + 1> chunks;
};

found_cookies collect(std::span<const std::string_view> lines, std::string_view name) {
    found_cookies found;
    each_cookie(lines, name, [&found](std::string_view suffix, std::string_view value) {
        if (suffix.empty()) {
            if (!value.empty() && found.whole.size() < most_copies) {
                found.whole.push_back(value);
            }
        } else if (const auto number = chunk_number(suffix);
                   number && *number < found.chunks.size() && !value.empty()) {
            if (auto& copies = found.chunks[*number]; copies.size() < most_copies) {
                copies.push_back(value);
            }
        }
    });
    return found;
}

/// The chunks up to the first gap, of the `copy`-th of each where there are several. Nothing if there are too many.
std::optional<std::string> join(const found_cookies& found, std::size_t copy) {
    std::string joined;
    std::size_t count = 0;
    for (; count < found.chunks.size() && !found.chunks[count].empty(); ++count) {
        const auto& copies = found.chunks[count];
        joined += unescape(copies[std::min(copy, copies.size() - 1)]);
    }
    return count != 0 && count <= max_cookie_chunks ? std::optional(std::move(joined)) : std::nullopt;
}

std::optional<std::string> decode(std::string text) {
    if (!text.starts_with(encoded_mark)) {
        return text;
    }
    text.erase(0, encoded_mark.size());
    std::erase_if(text, [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '='; });
    return crypto::base64url_decode(text);
}

std::optional<std::string> token_in(std::string_view json) {
    const bool array = json.starts_with('[');
    http::json_reader members(json);
    std::optional<std::string> token;
    bool first = true;
    while (const http::json_member* m = members.next()) {
        if (array ? first : m->key == "access_token") {
            token = m->kind == http::json_kind::string ? http::json_unquote(m->value) : std::nullopt;
        }
        first = false;
    }
    // A text that is no JSON: chunks of two sessions were mixed.
    return members.ok() ? token : std::nullopt;
}

}  // namespace

std::string supabase_cookie_name(std::string_view url) {
    const std::size_t scheme = url.find("://");
    std::string_view host = scheme == std::string_view::npos ? url : url.substr(scheme + 3);
    host = host.substr(0, host.find_first_of(".:/"));
    return "sb-" + std::string(host) + "-auth-token";
}

std::vector<std::string> session_tokens(std::span<const std::string_view> cookies, std::string_view name) {
    const found_cookies found = collect(cookies, name);
    std::vector<std::string> texts;
    for (const std::string_view value : found.whole) {
        texts.push_back(unescape(value));
    }
    if (texts.empty()) {
        std::size_t copies = 0;
        for (const auto& chunk : found.chunks) {
            copies = std::max(copies, chunk.size());
        }
        for (std::size_t copy = 0; copy < copies; ++copy) {
            if (auto joined = join(found, copy)) {
                texts.push_back(std::move(*joined));
            }
        }
    }
    std::vector<std::string> tokens;
    for (std::string& text : texts) {
        if (text.size() > most_bytes) {
            continue;
        }
        const auto json = decode(std::move(text));
        if (auto token = json ? token_in(*json) : std::nullopt; token && !token->empty()) {
            tokens.push_back(std::move(*token));
        }
    }
    return tokens;
}

bool has_session_cookie(std::span<const std::string_view> cookies, std::string_view name) noexcept {
    bool found = false;
    each_cookie(cookies, name, [&found](std::string_view suffix, std::string_view value) {
        found = found || (!value.empty() && (suffix.empty() || chunk_number(suffix)));
    });
    return found;
}

}  // namespace concurred::auth
