#include "auth/principal.hpp"

#include "auth/key_state.hpp"

#include <array>

namespace concurred::auth {

bool principal::has_permission(std::string_view permission) const noexcept {
    std::string_view rest = permissions.view();
    while (!rest.empty()) {
        const std::size_t end = rest.find(' ');
        if (rest.substr(0, end) == permission) {
            return true;
        }
        rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
    }
    return false;
}

base::result<principal> make_principal(const principal_fields& fields, key_state& state) {
    const auto usable = [](std::string_view id) { return !id.empty() && id.size() <= base::max_id_length; };
    if (!usable(fields.owner) || !usable(fields.key_id)) {
        return base::gateway_error(base::errc::internal, "The key's record has an id that cannot be used.");
    }
    if (fields.rate_limit == 0 || fields.rate_window < std::chrono::milliseconds{1} ||
        fields.rate_window > std::chrono::days{366}) {
        return base::gateway_error(base::errc::internal, "The key's record has no usable rate limit.");
    }
    if (fields.permissions.size() > max_permissions_length) {
        return base::gateway_error(base::errc::internal, "The key's record has too many permissions.");
    }
    principal who;
    who.owner = fields.owner;
    who.key_id = fields.key_id;
    who.name = fields.name;
    who.permissions = fields.permissions;
    who.limit = gcra_limit(fields.rate_limit, fields.rate_window);
    who.expires_ms = fields.expires_ms;
    who.verified_ms = fields.verified_ms;
    who.state = &state;
    if (fields.spend.any()) {
        spend_state& spend = state.spend_made();
        spend.set(fields.spend);
        who.spend = &spend;
    } else if (spend_state* const before = state.spend()) {
        before->set({});
    }
    return who;
}

base::fixed_text<base::max_id_length> session_limit_id(const session& who) noexcept {
    static_assert(max_session_owner + 8 <= base::max_id_length);
    std::array<char, base::max_id_length> text;
    constexpr std::string_view prefix = "session:";
    prefix.copy(text.data(), prefix.size());
    const std::size_t length = who.owner.view().copy(text.data() + prefix.size(), max_session_owner);
    return std::string_view(text.data(), prefix.size() + length);
}

principal make_session_principal(const session& who, std::uint32_t per_minute, key_state& state) {
    principal made;
    made.owner = who.owner.view();
    made.key_id = session_limit_id(who).view();
    made.name = "dashboard session";
    made.kind = credential_kind::session;
    made.limit = gcra_limit(per_minute, std::chrono::seconds(60));
    made.expires_ms = who.expires_ms;
    made.state = &state;
    return made;
}

}  // namespace concurred::auth
