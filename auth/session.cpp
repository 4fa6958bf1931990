#include "auth/session.hpp"

#include "gateway/http/json_scan.hpp"
#include "gateway/http/json_string.hpp"

#include <charconv>
#include <cmath>
#include <set>

namespace concurred::auth {

namespace {

using http::json_kind;
using http::json_member;

constexpr std::string_view authenticated = "authenticated";
constexpr double leeway_s = 30;
constexpr double skew_s = 60;
constexpr double latest_s = 253'402'300'800;  // the year 10000

struct claims {
    std::string issuer, subject, role, session_id, level;
    std::optional<double> expires, not_before, issued;
    bool audience = false;
    bool anonymous = false;
};

bool read_text(const json_member& m, std::string& to) {
    auto text = m.kind == json_kind::string ? http::json_unquote(m.value) : std::nullopt;
    if (text) {
        to = std::move(*text);
    }
    return text.has_value();
}

// NumericDate may have a fraction (RFC 7519 2).
bool read_time(const json_member& m, std::optional<double>& to) {
    double value = 0;
    const char* const end = m.value.data() + m.value.size();
    const auto [behind, failure] = std::from_chars(m.value.data(), end, value);
    if (m.kind != json_kind::number || failure != std::errc{} || behind != end || !std::isfinite(value) || value < 0 ||
        value > latest_s) {
        return false;
    }
    to = value;
    return true;
}

bool read_audience(const json_member& m, bool& found) {
    if (m.kind == json_kind::string) {
        found = http::json_string_equals(m.value, authenticated);
        return true;
    }
    if (m.kind != json_kind::array) {
        return false;
    }
    http::json_reader elements(m.value);
    while (const json_member* one = elements.next()) {
        if (one->kind != json_kind::string) {
            return false;
        }
        found = found || http::json_string_equals(one->value, authenticated);
    }
    return true;
}

bool read_flag(const json_member& m, bool& to) {
    to = m.value == "true";
    return m.kind == json_kind::boolean || m.kind == json_kind::null;
}

bool read_claim(std::string_view name, const json_member& m, claims& c) {
    if (name == "iss") {
        return read_text(m, c.issuer);
    }
    if (name == "sub") {
        return read_text(m, c.subject);
    }
    if (name == "role") {
        return read_text(m, c.role);
    }
    if (name == "session_id") {
        return read_text(m, c.session_id);
    }
    if (name == "aal") {
        return m.kind == json_kind::null || read_text(m, c.level);
    }
    if (name == "exp") {
        return read_time(m, c.expires);
    }
    if (name == "nbf") {
        return read_time(m, c.not_before);
    }
    if (name == "iat") {
        return read_time(m, c.issued);
    }
    if (name == "aud") {
        return read_audience(m, c.audience);
    }
    return name != "is_anonymous" || read_flag(m, c.anonymous);
}

std::optional<claims> read_claims(std::string_view payload) {
    http::json_reader members(payload);
    claims c;
    std::set<std::string> seen;
    while (const json_member* m = members.next()) {
        auto name = http::json_unescape(m->key);
        // Of two values for one name others may take the other one.
        if (!name || !read_claim(*name, *m, c) || !seen.insert(std::move(*name)).second) {
            return std::nullopt;
        }
    }
    return members.ok() && http::is_json_object(payload) ? std::optional(std::move(c)) : std::nullopt;
}

bool is_uuid(std::string_view text) noexcept {
    if (text.size() != 36) {
        return false;
    }
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        const char c = text[i];
        const bool hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
        if (dash ? c != '-' : !hex) {
            return false;
        }
    }
    return true;
}

}  // namespace

session_check check_claims(std::string_view payload, const claim_rules& rules, base::wall_time now) {
    const auto c = read_claims(payload);
    if (!c || !c->expires) {
        return {session_fault::malformed};
    }
    const double now_s = static_cast<double>(base::unix_millis(now)) / 1'000;
    if (c->issuer != rules.issuer || !c->audience || c->role != authenticated) {
        return {session_fault::not_ours};
    }
    const bool subject =
        rules.uuid_subject ? is_uuid(c->subject) : !c->subject.empty() && c->subject.size() <= max_session_owner;
    if (!subject || c->session_id.empty()) {
        return {session_fault::not_ours};
    }
    if (*c->expires <= now_s - leeway_s) {
        return {session_fault::expired};
    }
    if (c->not_before.value_or(0) > now_s + skew_s || c->issued.value_or(0) > now_s + skew_s) {
        return {session_fault::not_yet};
    }
    session_check good{session_fault::none};
    good.who.owner = c->subject;
    good.who.expires_ms = static_cast<std::int64_t>(*c->expires * 1'000);
    good.who.anonymous = c->anonymous;
    good.who.two_factors = c->level == "aal2";
    return good;
}

}  // namespace concurred::auth
