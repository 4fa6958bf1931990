#include "upstream/owner_keys.hpp"

#include "crypto/sealed_secret.hpp"

#include <algorithm>
#include <utility>

namespace concurred::upstream {

namespace {

constexpr std::string_view slug_field = "X-Provider-Key";

base::error no_such_slug() {
    return base::client_error(
        base::errc::bad_request,
        "The field X-Provider-Key names no provider key of yours. GET /api/v1/provider-keys lists "
        "their slugs.",
        std::string(slug_field));
}

base::error of_other_provider(const owner_key& key, std::string_view wanted) {
    return base::client_error(base::errc::bad_request,
                              "The provider key '" + key.slug + "' is for '" + key.provider +
                                  "', and this model is served by '" + std::string(wanted) + "'.",
                              std::string(slug_field));
}

bool is_newer(const std::shared_ptr<const owner_key>& a, const std::shared_ptr<const owner_key>& b) noexcept {
    return a->created_ms != b->created_ms ? a->created_ms > b->created_ms : a->id > b->id;
}

}  // namespace

void owner_keys::put(std::shared_ptr<const owner_key> key) {
    remove(key->owner, key->id);
    keys_of_owner& keys = owners_[key->owner];
    keys.insert(std::ranges::upper_bound(keys, key, is_newer), std::move(key));
    ++size_;
}

void owner_keys::remove(std::string_view owner, std::string_view id) {
    const auto found = owners_.find(owner);
    if (found == owners_.end()) {
        return;
    }
    size_ -= std::erase_if(found->second, [id](const auto& key) { return key->id == id; });
    if (found->second.empty()) {
        owners_.erase(found);
    }
}

const owner_keys::keys_of_owner* owner_keys::find(std::string_view owner) const noexcept {
    if (size_ == 0) {
        return nullptr;
    }
    const auto found = owners_.find(owner);
    return found == owners_.end() ? nullptr : &found->second;
}

bool owner_keys::has(std::string_view owner, std::string_view provider) const noexcept {
    const keys_of_owner* keys = find(owner);
    return keys != nullptr &&
           std::ranges::any_of(*keys, [provider](const auto& key) { return key->provider == provider; });
}

base::result<std::optional<owner_credential>> owner_keys::credential_for(std::string_view owner,
                                                                         std::string_view provider,
                                                                         std::string_view slug,
                                                                         const spoken_dialect& dialect,
                                                                         bool one_of_several) const {
    const keys_of_owner* keys = find(owner);
    const owner_key* chosen = nullptr;
    if (keys != nullptr) {
        const auto found = std::ranges::find_if(
            *keys, [&](const auto& key) { return slug.empty() ? key->provider == provider : key->slug == slug; });
        chosen = found == keys->end() ? nullptr : found->get();
    }
    if (chosen == nullptr) {
        if (!slug.empty()) {
            return no_such_slug();
        }
        return std::optional<owner_credential>();
    }
    if (chosen->provider != provider) {
        if (one_of_several) {
            return credential_for(owner, provider, {}, dialect);
        }
        return of_other_provider(*chosen, provider);
    }
    auto opened = open(*chosen, dialect);
    if (!opened) {
        return std::move(opened).error();
    }
    return std::optional<owner_credential>(std::move(*opened));
}

base::result<owner_credential> owner_keys::open(const owner_key& key, const spoken_dialect& dialect) const {
    const crypto::unsealed opened =
        crypto::unseal(ring_, key.sealed,
                       {.table = owner_key_table_name, .row_id = key.id, .owner = key.owner, .provider = key.provider});
    if (opened.fault != crypto::unseal_fault::none) {
        // One text for all causes: which it was helps nobody who may not know it.
        return base::gateway_error(base::errc::internal, "Your stored provider key '" + key.slug +
                                                             "' cannot be used. Delete it, and store it again.");
    }
    const std::string_view field = dialect.key_field;
    const std::string_view secret = opened.secret.reveal();
    owner_credential made{crypto::secret_string::of_size(field.size() + secret.size() + 2), field.size(), key.slug};
    char* to = made.key_line.writable().data();
    to = std::copy(field.begin(), field.end(), to);
    to = std::copy(secret.begin(), secret.end(), to);
    *to++ = '\r';
    *to = '\n';
    return made;
}

}  // namespace concurred::upstream
