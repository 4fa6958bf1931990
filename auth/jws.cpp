#include "auth/jws.hpp"

#include "crypto/encoding.hpp"
#include "gateway/http/json_scan.hpp"
#include "gateway/http/json_string.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace concurred::auth {

namespace {

using http::json_kind;

constexpr std::size_t longest_key_id = 256;

bool is_jwt(std::string_view raw) {
    const auto typ = http::json_unquote(raw);
    return typ && (*typ == "JWT" || *typ == "jwt");
}

/// False: a header that is not to be accepted.
bool read_header(std::string_view text, unverified_jws& token) {
    http::json_reader members(text);
    std::vector<std::string> seen;
    while (const http::json_member* m = members.next()) {
        auto name = http::json_unescape(m->key);
        if (!name || std::find(seen.begin(), seen.end(), *name) != seen.end()) {
            return false;
        }
        // Extensions that must be understood: none is.
        if (*name == "crit" || (*name == "typ" && !is_jwt(m->value))) {
            return false;
        }
        if (*name == "alg" || *name == "kid") {
            auto value = m->kind == json_kind::string ? http::json_unquote(m->value) : std::nullopt;
            if (!value || value->size() > longest_key_id) {
                return false;
            }
            (*name == "alg" ? token.algorithm : token.key_id) = std::move(*value);
        }
        seen.push_back(std::move(*name));
    }
    return members.ok() && text.find('{') != std::string_view::npos && http::is_json_object(text) &&
           !token.algorithm.empty();
}

}  // namespace

std::optional<unverified_jws> parse_jws(std::string_view token) {
    if (token.size() > max_token_size) {
        return std::nullopt;
    }
    const std::size_t first = token.find('.');
    const std::size_t second = first == std::string_view::npos ? first : token.find('.', first + 1);
    if (second == std::string_view::npos || token.find('.', second + 1) != std::string_view::npos) {
        return std::nullopt;
    }
    const auto header = crypto::base64url_decode(token.substr(0, first));
    auto payload = crypto::base64url_decode(token.substr(first + 1, second - first - 1));
    auto signature = crypto::base64url_decode(token.substr(second + 1));
    if (!header || !payload || !signature || signature->empty()) {
        return std::nullopt;
    }
    unverified_jws parts;
    if (!read_header(*header, parts)) {
        return std::nullopt;
    }
    parts.signed_text = token.substr(0, second);
    parts.payload = std::move(*payload);
    parts.signature = std::move(*signature);
    return parts;
}

jws_verdict check_jws(const unverified_jws& token, std::span<const named_key> keys) {
    jws_verdict verdict = jws_verdict::unknown_key;
    for (const named_key& one : keys) {
        if (token.algorithm != crypto::name_of(one.key.algorithm())) {
            continue;
        }
        if (!one.id.empty() && !token.key_id.empty() && one.id != token.key_id) {
            continue;
        }
        if (one.key.verify(token.signed_text, token.signature)) {
            return jws_verdict::good;
        }
        verdict = jws_verdict::bad;
    }
    return verdict;
}

}  // namespace concurred::auth
