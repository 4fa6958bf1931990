#include "gateway/app/command_database.hpp"
#include "gateway/app/console.hpp"
#include "gateway/app/exit_code.hpp"
#include "gateway/app/key_values.hpp"
#include "gateway/app/provider_keys_command.hpp"
#include "gateway/app/session_setup.hpp"

namespace concurred::app {

int print_login_link(const login_link_options& options, base::wall_time now) {
    const auto loaded = load_or_complain(options.config);
    if (!loaded) {
        return exit_configuration;
    }
    const base::config& settings = *loaded->values;
    if (!settings.supabase.url.empty()) {
        return complain(
            exit_usage,
            "sessions come from Supabase (supabase.url is set): sign in there, the gateway takes its cookie");
    }
    const auto owner = parse_owner(options.owner);
    if (!owner) {
        return complain(exit_usage, base::text_of(owner.error()));
    }
    if (owner->size() > auth::max_session_owner) {
        return complain(exit_usage, "the owner's name is too long for a session: at most " +
                                        std::to_string(auth::max_session_owner) + " bytes");
    }
    const auto opened = open_database(settings);
    if (!opened) {
        return complain(opened.error());
    }
    const auto link = make_login_link(settings, *opened->login_links, *owner, settings.server.listen, now);
    if (!link) {
        return complain(link.error());
    }
    say(*link + "\n");
    remark("It works once, within 15 minutes, and signs in as '" + printable(*owner) + "'.");
    return exit_ok;
}

}  // namespace concurred::app
