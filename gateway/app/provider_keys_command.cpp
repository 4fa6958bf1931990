#include "gateway/app/provider_keys_command.hpp"

#include "gateway/app/command_database.hpp"
#include "gateway/app/console.hpp"
#include "gateway/app/exit_code.hpp"
#include "gateway/app/json_object.hpp"
#include "gateway/app/key_values.hpp"
#include "gateway/app/secret_input.hpp"
#include "gateway/app/table.hpp"
#include "gateway/base/utc_text.hpp"
#include "storage/provider_key_rules.hpp"

#include <algorithm>
#include <utility>

namespace concurred::app {

namespace {

using storage::provider_key_row;
using storage::provider_key_store;

/// Does `work(settings, store, ring)` with the provider keys of a database.
template <class Work>
int with_provider_keys(const config_options& options, bool make_database, Work work) {
    const auto loaded = load_or_complain(options);
    if (!loaded) {
        return exit_configuration;
    }
    const base::config& settings = *loaded->values;
    if (!make_database && database_is_missing(settings)) {
        return complain_of_missing_database(settings);
    }
    const auto ring = crypto::key_ring::parse(settings.secrets.master_key);
    if (!ring) {
        return complain(exit_configuration, base::text_of(ring.error()));
    }
    const auto opened = open_database(settings);
    if (!opened) {
        return complain(opened.error());
    }
    return work(settings, *opened->provider_keys, *ring);
}

int complain_of_missing_master_key() {
    return complain(exit_configuration, "secrets.master_key is not set; make one with: openssl rand -base64 32");
}

std::string created(const provider_key_row& row) {
    return base::utc_timestamp(base::wall_time(std::chrono::milliseconds(row.created_ms)));
}

std::string row_json(const provider_key_row& row) {
    json_object object;
    object.add("id", row.id).add("provider", row.provider).add("slug", row.slug);
    object.add("displayName", row.display_name).add("lastFour", row.last_four).add("owner", row.owner_id);
    return object.add("createdAt", created(row)).text();
}

int no_such_provider_key(const std::string& id) {
    return complain(exit_failure, "there is no provider key with the id '" + printable(id) +
                                      "'; 'concurred provider-keys list' shows all there are");
}

}  // namespace

int add_provider_key(const provider_key_add_options& options, base::wall_time now) {
    return with_provider_keys(
        options.config, true,
        [&](const base::config& settings, provider_key_store& store, const crypto::key_ring& ring) {
            if (ring.empty()) {
                return complain_of_missing_master_key();
            }
            const auto owner = parse_owner(options.owner);
            if (!owner) {
                return complain(exit_usage, base::text_of(owner.error()));
            }
            if (auto known = storage::check_master_keys(store, ring); !known) {
                return complain(exit_configuration, base::text_of(known.error()));
            }
            auto key = read_secret(options.key_file, "The provider's key");
            if (!key) {
                return complain(exit_failure, base::text_of(key.error()));
            }
            const storage::new_provider_key brought{*owner, options.provider, options.slug, options.display_name,
                                                    std::move(*key)};
            const auto row = storage::make_provider_key(brought, ring, base::unix_millis(now));
            if (!row) {
                return complain(exit_usage, base::text_of(row.error()));
            }
            const auto outcome = store.insert(*row, settings.limits.provider_keys_per_owner);
            if (!outcome) {
                return complain(outcome.error());
            }
            switch (*outcome) {
                case storage::provider_key_outcome::slug_taken:
                    return complain(exit_failure, "the owner '" + printable(row->owner_id) +
                                                      "' has a provider key with the slug '" + row->slug + "' already");
                case storage::provider_key_outcome::owner_full:
                    return complain(exit_failure, "the owner '" + printable(row->owner_id) + "' has " +
                                                      std::to_string(settings.limits.provider_keys_per_owner) +
                                                      " provider keys, the most there may be "
                                                      "(limits.provider_keys_per_owner)");
                case storage::provider_key_outcome::inserted:
                    break;
            }
            say(options.json ? row_json(*row) + "\n"
                             : "Stored the " + row->provider + " key '" + row->slug + "' (" + row->id +
                                   ") for the owner '" + printable(row->owner_id) + "'.\n");
            return exit_ok;
        });
}

int list_provider_keys(const provider_key_list_options& options) {
    return with_provider_keys(
        options.config, false, [&](const base::config&, provider_key_store& store, const crypto::key_ring&) {
            storage::owner_scope scope;
            if (options.owner) {
                scope = *options.owner;
            }
            const auto rows = store.list(scope);
            if (!rows) {
                return complain(rows.error());
            }
            if (options.json) {
                std::string out = "[";
                for (const provider_key_row& row : *rows) {
                    out.append(out.size() == 1 ? "\n" : ",\n").append(row_json(row));
                }
                say(out.append(rows->empty() ? "]\n" : "\n]\n"));
                return exit_ok;
            }
            if (rows->empty()) {
                say("No provider keys. Store one with: concurred provider-keys add --provider openai --slug NAME\n");
                return exit_ok;
            }
            text_table table;
            for (const char* title : {"ID", "PROVIDER", "SLUG", "NAME", "KEY", "OWNER", "CREATED (UTC)"}) {
                table.column(title);
            }
            for (const provider_key_row& row : *rows) {
                std::string minute = created(row).substr(0, 16);
                std::replace(minute.begin(), minute.end(), 'T', ' ');
                table.row(
                    {row.id, row.provider, row.slug, row.display_name, "..." + row.last_four, row.owner_id, minute});
            }
            say(table.text());
            return exit_ok;
        });
}

int remove_provider_key(const provider_key_remove_options& options, base::wall_time now) {
    return with_provider_keys(
        options.config, false, [&](const base::config&, provider_key_store& store, const crypto::key_ring&) {
            const auto found = store.find(std::nullopt, options.id);
            if (!found) {
                return complain(found.error());
            }
            if (!*found) {
                return no_such_provider_key(options.id);
            }
            const std::string what =
                printable("'" + (*found)->slug + "' (" + (*found)->provider + ", " + (*found)->id + ")");
            if (!options.yes && can_ask() && !ask("Delete the provider key " + what + " for good?")) {
                return complain(exit_failure, "nothing was deleted");
            }
            const auto removed = store.remove(std::nullopt, options.id, base::unix_millis(now));
            if (!removed) {
                return complain(removed.error());
            }
            if (!*removed) {  // somebody else was faster
                return no_such_provider_key(options.id);
            }
            say("Deleted the provider key " + what + ".\n");
            return exit_ok;
        });
}

int rotate_secrets(const config_options& options) {
    return with_provider_keys(
        options, false, [&](const base::config&, provider_key_store& store, const crypto::key_ring& ring) {
            if (ring.empty()) {
                return complain_of_missing_master_key();
            }
            if (auto known = storage::check_master_keys(store, ring); !known) {
                return complain(exit_configuration, base::text_of(known.error()));
            }
            std::size_t done = 0;
            while (true) {
                const auto rows = store.sealed_otherwise(ring.active_id());
                if (!rows) {
                    return complain(rows.error());
                }
                if (rows->empty()) {
                    break;
                }
                for (const provider_key_row& row : *rows) {
                    const auto sealed = storage::seal_again(row, ring);
                    if (!sealed) {
                        return complain(exit_failure, base::text_of(sealed.error()));
                    }
                    // Changed or deleted meanwhile: then it is read again, or gone.
                    const auto saved = store.reseal(row, *sealed, ring.active_id());
                    if (!saved) {
                        return complain(saved.error());
                    }
                    done += *saved ? 1 : 0;
                }
            }
            if (auto dropped = store.keep_only_canary(ring.active_id()); !dropped) {
                return complain(dropped.error());
            }
            say("Sealed " + std::to_string(done) + (done == 1 ? " provider key" : " provider keys") +
                " again; all are sealed with the master key '" + ring.active_id() + "' now.\n");
            if (ring.size() > 1) {
                say("The other master keys can be taken out of secrets.master_key once every gateway has this one in "
                    "front.\n");
            }
            return exit_ok;
        });
}

}  // namespace concurred::app
