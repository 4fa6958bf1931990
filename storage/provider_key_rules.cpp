#include "storage/provider_key_rules.hpp"

#include "crypto/random.hpp"
#include "crypto/sealed_secret.hpp"

#include <algorithm>
#include <utility>

namespace concurred::storage {

namespace {

using base::client_error;
using base::errc;

constexpr std::size_t longest_slug = 64;
constexpr std::size_t shortest_key = 8;
constexpr std::size_t longest_key = 512;
constexpr std::size_t shown = 4;
constexpr std::size_t shown_from = 12;  // below that four characters would be too much of the key
constexpr std::string_view canary_text = "concurred canary v1";

constexpr crypto::seal_place canary_place{.table = "secret_canary", .row_id = "canary", .owner = {}, .provider = {}};

base::error bad(std::string_view field, std::string_view allowed) {
    return client_error(errc::bad_request,
                        "The field '" + std::string(field) + "' must be " + std::string(allowed) + ".",
                        std::string(field));
}

bool is_slug(std::string_view text) noexcept {
    return !text.empty() && text.size() <= longest_slug && std::ranges::all_of(text, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
               c == '.';
    });
}

std::string_view trim(std::string_view text) noexcept {
    constexpr std::string_view space = " \t\r\n";
    const std::size_t first = text.find_first_not_of(space);
    return first == std::string_view::npos ? std::string_view()
                                           : text.substr(first, text.find_last_not_of(space) - first + 1);
}

// It becomes a part of a request's head: a line break in it would be a head of its own.
bool is_key(std::string_view text) noexcept {
    return text.size() >= shortest_key && text.size() <= longest_key &&
           std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7F; });
}

std::string list_of(const std::vector<canary_row>& canaries) {
    std::string names;
    for (const canary_row& one : canaries) {
        names += (names.empty() ? "'" : ", '") + one.sealed_with + "'";
    }
    return names;
}

base::error wrong_key(const std::string& what) {
    return base::gateway_error(errc::internal,
                               "secrets.master_key: " + what +
                                   " Give the key that this database was written with, or both, the new one in front "
                                   "and separated by a comma, and run 'concurred secrets rotate'.");
}

crypto::seal_place place_of(const provider_key_row& row) noexcept {
    return {.table = provider_key_table, .row_id = row.id, .owner = row.owner_id, .provider = row.provider};
}

base::result<void> make_canary(provider_key_store& store, const crypto::key_ring& ring) {
    auto sealed = crypto::seal(ring, canary_text, canary_place);
    if (!sealed) {
        return std::move(sealed).error();
    }
    return store.put_canary({ring.active_id(), std::move(*sealed)});
}

}  // namespace

base::result<provider_key_row> make_provider_key(const new_provider_key& brought, const crypto::key_ring& ring,
                                                 std::int64_t now_ms) {
    if (std::ranges::find(byok_providers, brought.provider) == byok_providers.end()) {
        return bad("provider", "one of 'openai', 'anthropic', 'google', 'x-ai', 'openrouter' and 'minimax'");
    }
    if (!is_slug(brought.slug)) {
        return bad("slug", "1 to 64 letters, digits, '-', '_' or '.'");
    }
    const std::string_view key = trim(brought.key.reveal());
    if (!is_key(key)) {
        return bad("apiKey", "the provider's key, 8 to 512 visible ASCII characters without spaces");
    }
    provider_key_row row;
    row.id = "pk_" + crypto::random_alphanumeric(20);  // before it is sealed: the text is bound to it
    row.owner_id = brought.owner;
    row.provider = brought.provider;
    row.slug = brought.slug;
    row.display_name = brought.display_name.empty() ? brought.slug : brought.display_name;
    row.last_four = key.size() >= shown_from ? std::string(key.substr(key.size() - shown)) : std::string();
    row.created_ms = now_ms;
    auto sealed = crypto::seal(ring, key, place_of(row));
    if (!sealed) {
        return std::move(sealed).error();
    }
    row.sealed = std::move(*sealed);
    row.sealed_with = ring.active_id();
    return row;
}

base::result<std::string> seal_again(const provider_key_row& row, const crypto::key_ring& ring) {
    const crypto::unsealed opened = crypto::unseal(ring, row.sealed, place_of(row));
    if (opened.fault != crypto::unseal_fault::none) {
        return base::gateway_error(errc::internal,
                                   "the provider key " + row.id + " cannot be opened: " +
                                       (opened.fault == crypto::unseal_fault::unknown_key
                                            ? "its master key '" + row.sealed_with + "' is not in secrets.master_key"
                                            : std::string("it is damaged; delete it")));
    }
    return crypto::seal(ring, opened.secret.reveal(), place_of(row));
}

base::result<void> check_master_keys(provider_key_store& store, const crypto::key_ring& ring) {
    const auto canaries = store.canaries();
    if (!canaries) {
        return canaries.error();
    }
    if (ring.empty()) {
        return canaries->empty()
                   ? base::result<void>()
                   : wrong_key("is empty, and the database has secrets sealed with " + list_of(*canaries) + ".");
    }
    bool active = false;
    bool known = false;
    for (const canary_row& one : *canaries) {
        if (ring.find(one.sealed_with).empty()) {
            continue;
        }
        const crypto::unsealed opened = crypto::unseal(ring, one.sealed, canary_place);
        if (opened.fault != crypto::unseal_fault::none || opened.secret.reveal() != canary_text) {
            return wrong_key("the key named '" + one.sealed_with +
                             "' is not the one this database knows by that name.");
        }
        known = true;
        active = active || one.sealed_with == ring.active_id();
    }
    if (!known && !canaries->empty()) {
        return wrong_key("is not the key that this database was written with (" + list_of(*canaries) + ").");
    }
    // With some keys of the past, but not those that are still needed.
    const auto others = store.sealed_otherwise(ring.active_id(), 1'000);
    if (!others) {
        return others.error();
    }
    for (const provider_key_row& row : *others) {
        if (ring.find(row.sealed_with).empty()) {
            return wrong_key("the provider key " + row.id + " is sealed with '" + row.sealed_with +
                             "', which is not among the keys.");
        }
    }
    return active ? base::result<void>() : make_canary(store, ring);
}

}  // namespace concurred::storage
