#include "auth/api_key_format.hpp"
#include "gateway/app/command_database.hpp"
#include "gateway/app/console.hpp"
#include "gateway/app/exit_code.hpp"
#include "gateway/app/json_object.hpp"
#include "gateway/app/key_output.hpp"
#include "gateway/app/key_values.hpp"
#include "gateway/app/keys_command.hpp"
#include "gateway/base/utc_text.hpp"

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
    row.name = std::move(*name);
    row.owner_id = std::move(*owner);
    row.created_ms = row.updated_ms = base::unix_millis(now);
    return row;
}

base::result<crypto::secret_string> make_key(api_key_row& row) {
    auto key = auth::generate_api_key();
    if (key) {
        crypto::sha256_hasher hash;
        row.id = auth::make_key_id();
        row.hash = auth::hash_text(hash(key->reveal()));
        row.start = auth::key_start(key->reveal());
    }
    return key;
}

base::result<void> store(storage::api_key_store& keys, const api_key_row& row, unsigned most) {
    const auto outcome = keys.insert(row, most);
    if (!outcome) {
        return outcome.error();
    }
    switch (*outcome) {
        case storage::insert_outcome::inserted:
            return {};
        case storage::insert_outcome::owner_full:
            return base::client_error(base::errc::conflict, "the owner '" + row.owner_id + "' has " +
                                                                std::to_string(most) +
                                                                " keys, the most there may be (limits.keys_per_owner); "
                                                                "revoke one, or raise the limit");
        case storage::insert_outcome::duplicate:
            break;
    }
    return base::gateway_error(base::errc::internal, "the new key's id was taken already; try again");
}

/// The key goes to stdout piece by piece: no copy of it is made here.
void show(const api_key_row& row, const crypto::secret_string& key, bool json, base::wall_time now) {
    if (!json) {
        say("API key     ");
        say(key.reveal());
        say("\n" + key_text(row, now) +
            "\nThis is the only time the key is shown: only its hash is stored. Keep it where secrets are kept.\n");
        return;
    }
    json_object rest;
    rest.add("name", row.name).add("rateLimit", row.rate_limit);
    if (row.expires_ms) {
        rest.add("expiresAt", base::utc_timestamp(base::wall_time(std::chrono::milliseconds(*row.expires_ms))));
    }
    say("{\"keyId\":\"" + row.id + "\",\"key\":\"");  // neither has characters that JSON would escape
    say(key.reveal());
    say("\"," + rest.text().substr(1) + "\n");
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
    const auto key = make_key(*row);
    if (!key) {
        return complain(key.error());
    }
    const auto opened = open_database(settings);
    if (!opened) {
        return complain(opened.error());
    }
    if (const auto stored = store(*opened->keys, *row, settings.limits.keys_per_owner); !stored) {
        return complain(stored.error());
    }
    show(*row, *key, options.json, now);
    if (!flushed()) {
        // Nobody has seen it, and nobody ever can.
        const auto revoked = opened->keys->revoke(std::nullopt, row->id, base::unix_millis(now));
        return complain(exit_failure, revoked && *revoked ? "the new key was revoked, since nobody could read it"
                                                          : "the new key " + row->id + " is of no use; revoke it");
    }
    return exit_ok;
}

}  // namespace concurred::app
