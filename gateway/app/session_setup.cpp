#include "gateway/app/session_setup.hpp"

#include "auth/session_cookie.hpp"

#include <string>
#include <utility>
#include <vector>

namespace concurred::app {

base::result<auth::session_verifier> make_session_verifier(const base::config& settings) {
    const base::supabase_config& supabase = settings.supabase;
    std::vector<auth::named_key> keys;
    if (!supabase.jwt_secret.empty()) {
        auto key = crypto::jws_key::hs256(crypto::secret_string(supabase.jwt_secret));
        if (!key) {
            return std::move(key).error();
        }
        keys.push_back({{}, std::move(*key)});
    }
    return auth::session_verifier(
        {.cookie_name = supabase.cookie_name.empty() ? auth::supabase_cookie_name(supabase.url) : supabase.cookie_name,
         .rules = {.issuer = supabase.url + "/auth/v1", .uuid_subject = true}},
        auth::make_fixed_keys(std::move(keys)));
}

}  // namespace concurred::app
