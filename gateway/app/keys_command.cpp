#include "gateway/app/keys_command.hpp"

#include "gateway/app/command_database.hpp"
#include "gateway/app/command_keys.hpp"
#include "gateway/app/console.hpp"
#include "gateway/app/exit_code.hpp"
#include "gateway/app/key_output.hpp"
#include "gateway/app/key_values.hpp"
#include "gateway/app/unkey_setup.hpp"

#include <utility>

namespace concurred::app {

namespace {

using storage::api_key_row;

/// Does `work(settings, keys)` with the keys, in a database that must be there already, or at Unkey's.
template <class Work>
int with_keys(const config_options& options, Work work) {
    const auto loaded = load_or_complain(options);
    if (!loaded) {
        return exit_configuration;
    }
    if (!uses_unkey(*loaded->values) && database_is_missing(*loaded->values)) {
        return complain_of_missing_database(*loaded->values);
    }
    const auto opened = command_keys::open(*loaded->values);
    return opened ? work(*loaded->values, **opened) : complain(opened.error());
}

int no_such_key(const std::string& id) {
    return complain(exit_failure,
                    "there is no key with the id '" + printable(id) + "'; 'concurred keys list' shows all there are");
}

base::result<storage::api_key_patch> read_patch(const key_update_options& options, const base::config& settings,
                                                base::wall_time now) {
    storage::api_key_patch patch;
    if (options.name) {
        auto name = parse_key_name(*options.name);
        if (!name) {
            return std::move(name).error();
        }
        patch.name = std::move(*name);
    }
    if (options.rate_limit) {
        const auto limit = parse_rate_limit(*options.rate_limit, settings.limits.max_rate_limit);
        if (!limit) {
            return limit.error();
        }
        patch.rate_limit = *limit;
    }
    if (options.expires) {
        const auto expiry = parse_expiry(*options.expires, now);
        if (!expiry) {
            return expiry.error();
        }
        patch.expires_ms.emplace(*expiry);
    } else if (options.no_expiry) {
        patch.expires_ms.emplace(std::nullopt);
    }
    if (auto read = read_spend_options(options.spend, patch); !read) {
        return std::move(read).error();
    }
    if (options.enable || options.disable) {
        patch.enabled = options.enable;
    }
    if (!patch.name && !patch.rate_limit && !patch.expires_ms && !patch.enabled && !options.spend.any()) {
        return base::client_error(base::errc::bad_request,
                                  "nothing to change: give --name, --rate-limit, --token-limit, --concurrency, "
                                  "--budget-day, --budget-month, --enable, --disable, --expires or --no-expiry");
    }
    return patch;
}

}  // namespace

base::result<void> read_spend_options(const key_spend_options& options, storage::api_key_patch& patch) {
    base::result<void> outcome;
    const auto read = [&outcome](const std::optional<std::string>& text, auto parse, auto& into) {
        if (text && outcome) {
            if (const auto value = parse(*text)) {
                into = *value;
            } else {
                outcome = value.error();
            }
        }
    };
    read(options.token_limit, parse_token_limit, patch.tokens_per_minute);
    read(options.concurrency, parse_concurrency, patch.concurrency);
    read(options.budget_day, parse_budget, patch.budget_day_nano_usd);
    read(options.budget_month, parse_budget, patch.budget_month_nano_usd);
    return outcome;
}

int list_keys(const key_list_options& options, base::wall_time now) {
    return with_keys(options.config, [&](const base::config&, command_keys& keys) {
        const auto rows = keys.run(keys.admin().list(options.owner, options.all));
        if (!rows) {
            return complain(rows.error());
        }
        if (options.json) {
            say(keys_json(*rows));
        } else if (rows->empty()) {
            say("No keys. Make one with: concurred keys create --name NAME\n");
        } else {
            say(keys_table(*rows, now));
        }
        return exit_ok;
    });
}

int update_key(const key_update_options& options, base::wall_time now) {
    return with_keys(options.config, [&](const base::config& settings, command_keys& keys) {
        const auto patch = read_patch(options, settings, now);
        if (!patch) {
            return complain(exit_usage, base::text_of(patch.error()));
        }
        const auto changed = keys.run(keys.admin().update(std::nullopt, options.id, *patch));
        if (!changed) {
            return complain(changed.error());
        }
        if (!*changed) {
            return no_such_key(options.id);
        }
        say(options.json ? key_json(**changed) + "\n" : key_text(**changed, now));
        return exit_ok;
    });
}

int revoke_key(const key_revoke_options& options) {
    return with_keys(options.config, [&](const base::config&, command_keys& keys) {
        const auto found = keys.run(keys.admin().find(std::nullopt, options.id));
        if (!found) {
            return complain(found.error());
        }
        if (!*found) {
            return no_such_key(options.id);
        }
        const api_key_row& row = **found;
        const std::string what = printable("'" + row.name + "' (" + row.id + ", " + row.start + "...)");
        if (!options.yes && can_ask() && !ask("Revoke the key " + what + " for good?")) {
            return complain(exit_failure, "nothing was revoked");
        }
        const auto revoked = keys.run(keys.admin().revoke(std::nullopt, options.id));
        if (!revoked) {
            return complain(revoked.error());
        }
        if (!*revoked) {  // somebody else was faster
            return no_such_key(options.id);
        }
        say(options.json ? key_json(**revoked) + "\n" : "Revoked the key " + what + ".\n");
        return exit_ok;
    });
}

}  // namespace concurred::app
