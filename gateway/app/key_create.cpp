#include "auth/key_admin.hpp"
#include "auth/key_limits.hpp"
#include "gateway/app/command_database.hpp"
#include "gateway/app/command_keys.hpp"
#include "gateway/app/console.hpp"
#include "gateway/app/exit_code.hpp"
#include "gateway/app/json_object.hpp"
#include "gateway/app/key_output.hpp"
#include "gateway/app/key_values.hpp"
#include "gateway/app/keys_command.hpp"
#include "gateway/app/unkey_setup.hpp"
#include "gateway/base/utc_text.hpp"

#include <chrono>
#include <optional>
#include <utility>

namespace concurred::app {

namespace {

using storage::api_key_row;

base::result<api_key_row> read_row(const key_create_options& options, const base::limits_config& limits,
                                   base::wall_time now) {
    api_key_row row;
    auto name = parse_key_name(options.name);
    if (!name) {
        return std::move(name).error();
    }
    auto owner = parse_owner(options.owner);
    if (!owner) {
        return std::move(owner).error();
    }
    row.rate_limit = limits.default_rate_limit;
    if (options.rate_limit) {
        const auto limit = parse_rate_limit(*options.rate_limit, limits.max_rate_limit);
        if (!limit) {
            return limit.error();
        }
        row.rate_limit = *limit;
    }
    if (options.expires) {
        const auto expiry = parse_expiry(*options.expires, now);
        if (!expiry) {
            return expiry.error();
        }
        row.expires_ms = *expiry;
    }
    storage::api_key_patch spend;
    if (auto read = read_spend_options(options.spend, spend); !read) {
        return std::move(read).error();
    }
    static_cast<void>(spend.apply_to(row));
    row.name = std::move(*name);
    row.owner_id = std::move(*owner);
    return row;
}

int complain_of(const base::error& e, const api_key_row& row, unsigned most) {
    if (e.code == base::errc::conflict) {
        return complain(exit_failure, "the owner '" + row.owner_id + "' has " + std::to_string(most) +
                                          " keys, the most there may be (limits.keys_per_owner); revoke one, or raise "
                                          "the limit");
    }
    return complain(e);
}

std::string time_text(std::int64_t unix_ms) {
    return base::utc_timestamp(base::wall_time(std::chrono::milliseconds(unix_ms)));
}

/// Until when the old key works, as text; empty when it does not any more.
std::string end_of_old(const api_key_row& old) {
    return old.deleted_ms || !old.expires_ms ? std::string() : time_text(*old.expires_ms);
}

/// The key goes to stdout piece by piece: no copy of it is made here. @param old which it takes the place of, if any
void show(const auth::issued_key& made, bool json, base::wall_time now, const std::optional<api_key_row>& old) {
    const api_key_row& row = made.row;
    if (!json) {
        say("API key     ");
        say(made.key.reveal());
        say("\n" + key_text(row, now));
        if (old) {
            const std::string end = end_of_old(*old);
            say("Takes the place of " + old->id +
                (end.empty() ? ", which does not work any more.\n" : ", which works until " + end + ".\n"));
        }
        say("\nThis is the only time the key is shown: only its hash is stored. Keep it where secrets are kept.\n");
        return;
    }
    json_object rest;
    rest.add("name", row.name).add("rateLimit", row.rate_limit);
    rest.add_members(auth::spend_limit_members(row.spend));
    if (row.expires_ms) {
        rest.add("expiresAt", time_text(*row.expires_ms));
    }
    if (old) {
        json_object previous;
        previous.add("keyId", old->id)
            .add("expiresAt", time_text(old->deleted_ms.value_or(old->expires_ms.value_or(0))));
        rest.add_json("previous", previous.text());
    }
    say("{\"keyId\":\"" + row.id + "\",\"key\":\"");  // neither has characters that JSON would escape
    say(made.key.reveal());
    say("\"," + rest.text().substr(1) + "\n");
}

/// Exit code of a command that has shown a new key.
int end_of(command_keys& keys, const auth::issued_key& made) {
    if (flushed()) {
        return exit_ok;
    }
    // Nobody has seen it, and nobody ever can.
    const auto revoked = keys.run(keys.admin().revoke(std::nullopt, made.row.id));
    return complain(exit_failure, revoked && *revoked ? "the new key was revoked, since nobody could read it"
                                                      : "the new key " + made.row.id + " is of no use; revoke it");
}

}  // namespace

int create_key(const key_create_options& options, base::wall_time now) {
    const auto loaded = load_or_complain(options.config);
    if (!loaded) {
        return exit_configuration;
    }
    const base::config& settings = *loaded->values;
    auto row = read_row(options, settings.limits, now);
    if (!row) {
        return complain(exit_usage, base::text_of(row.error()));
    }
    const auto opened = command_keys::open(settings);
    if (!opened) {
        return complain(opened.error());
    }
    command_keys& keys = **opened;
    const unsigned most = settings.limits.keys_per_owner;
    const auto made = keys.run(keys.admin().create(*row, most));
    if (!made) {
        return complain_of(made.error(), *row, most);
    }
    show(*made, options.json, now, {});
    return end_of(keys, *made);
}

int rotate_key(const key_rotate_options& options, base::wall_time now) {
    const auto loaded = load_or_complain(options.config);
    if (!loaded) {
        return exit_configuration;
    }
    const base::config& settings = *loaded->values;
    const auto grace = parse_grace(options.grace);
    if (!grace) {
        return complain(exit_usage, base::text_of(grace.error()));
    }
    if (!uses_unkey(settings) && database_is_missing(settings)) {
        return complain_of_missing_database(settings);
    }
    const auto opened = command_keys::open(settings);
    if (!opened) {
        return complain(opened.error());
    }
    command_keys& keys = **opened;
    const unsigned most = settings.limits.keys_per_owner;
    const auto rotated = keys.run(keys.admin().rotate(std::nullopt, options.id, *grace, most));
    if (!rotated) {
        return complain(rotated.error());
    }
    if (!*rotated) {
        return complain(exit_failure, "there is no key with the id '" + printable(options.id) +
                                          "'; 'concurred keys list' shows all there are");
    }
    show((*rotated)->made, options.json, now, (*rotated)->old);
    return end_of(keys, (*rotated)->made);
}

}  // namespace concurred::app
