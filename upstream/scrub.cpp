#include "upstream/scrub.hpp"

#include <algorithm>
#include <array>

namespace concurred::upstream {

namespace {

constexpr std::string_view mask = "***";

bool is_alphanumeric(char c) noexcept {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/// Characters of keys and ids, and the asterisks with which providers shorten them.
bool is_key_character(char c) noexcept {
    return is_alphanumeric(c) || c == '-' || c == '_' || c == '.' || c == '*';
}

/// Characters of any token behind `Bearer` (RFC 6750, 2.1).
bool is_token_character(char c) noexcept {
    return is_key_character(c) || c == '~' || c == '+' || c == '/' || c == '=';
}

template <class Predicate>
std::string_view leading(std::string_view text, Predicate accepts) noexcept {
    return text.substr(0, static_cast<std::size_t>(std::find_if_not(text.begin(), text.end(), accepts) - text.begin()));
}

/// What a credential begins with, and how long the rest is at least.
struct credential {
    std::string_view prefix;
    std::size_t rest;
};

constexpr std::array credentials{
    credential{"sk-", 6},   credential{"xai-", 6},   credential{"AIza", 16}, credential{"eyJ", 16},
    credential{"org-", 6},  credential{"proj_", 6},  credential{"ck_", 6},   credential{"pk-", 6},
    credential{"sess-", 6}, credential{"user-", 12},
};

/// Length of the credential that `text` begins with, or 0.
std::size_t credential_length(std::string_view text) noexcept {
    // Plain words may follow these prefixes too ("org-level"): keys and ids have a digit, a capital or an asterisk.
    constexpr std::size_t longest_word = 24;
    for (const credential& c : credentials) {
        if (!text.starts_with(c.prefix)) {
            continue;
        }
        std::string_view rest = leading(text.substr(c.prefix.size()), is_key_character);
        while (rest.ends_with('.')) {
            rest.remove_suffix(1);  // the end of the sentence
        }
        const bool odd = std::any_of(rest.begin(), rest.end(), [](char x) {
            return (x >= '0' && x <= '9') || (x >= 'A' && x <= 'Z') || x == '*';
        });
        if (rest.size() >= c.rest && (odd || rest.size() > longest_word)) {
            return c.prefix.size() + rest.size();
        }
    }
    return 0;
}

/// How much of `text` is the word `Bearer`, in any letter case, and what separates it from its token; or 0.
std::size_t bearer_length(std::string_view text) noexcept {
    constexpr std::string_view bearer = "bearer";
    const bool found = text.size() > bearer.size() && std::equal(bearer.begin(), bearer.end(), text.begin(),
                                                                 [](char a, char b) { return a == (b | 0x20); });
    const auto separates = [](char c) { return c == ' ' || c == ':' || c == '\t' || c == '"' || c == '\''; };
    const std::size_t gap = found ? leading(text.substr(bearer.size()), separates).size() : 0;
    return gap == 0 ? 0 : bearer.size() + gap;
}

}  // namespace

std::string scrub_secrets(std::string_view text, std::string_view key) {
    constexpr std::size_t shortest_token = 8;
    constexpr std::size_t shortest_key = 4;  // a key like "x" is no secret, and would garble every message
    std::string out;
    out.reserve(text.size());
    bool boundary = true;
    while (!text.empty()) {
        if (key.size() >= shortest_key && text.starts_with(key)) {
            out += mask;
            text.remove_prefix(key.size());
            continue;
        }
        if (boundary) {
            if (const std::size_t length = credential_length(text); length != 0) {
                out += mask;
                text.remove_prefix(length);
                continue;
            }
            if (const std::size_t scheme = bearer_length(text); scheme != 0) {
                const std::size_t token = leading(text.substr(scheme), is_token_character).size();
                out += text.substr(0, scheme);
                out += token >= shortest_token ? mask : text.substr(scheme, token);
                text.remove_prefix(scheme + token);
                continue;
            }
        }
        boundary = !is_alphanumeric(text.front());
        out += text.front();
        text.remove_prefix(1);
    }
    return out;
}

}  // namespace concurred::upstream
