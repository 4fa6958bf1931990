#include "auth/principal.hpp"

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
    return who;
}

}  // namespace concurred::auth
