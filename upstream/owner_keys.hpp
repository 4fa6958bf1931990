#pragma once

#include "crypto/key_ring.hpp"
#include "crypto/secret_string.hpp"
#include "gateway/base/error.hpp"
#include "upstream/dialects.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace concurred::upstream {

/// The table's name, which sealed keys are bound to.
inline constexpr std::string_view owner_key_table_name = "provider_key";

/// A provider's key that an owner has brought, as it is stored: sealed. Immutable; shards share one.
struct owner_key {
    std::string id;
    std::string owner;
    std::string provider;
    std::string slug;    ///< the owner's name for it
    std::string sealed;  ///< see `crypto::seal`
    std::int64_t created_ms = 0;
};

/// An owner's key, opened for one request. Wiped when it is let go.
struct owner_credential {
    crypto::secret_string key_line;  ///< the line of the request's head, with its end: never log it
    std::size_t key_at = 0;          ///< where in it the key begins
    std::string slug;

    [[nodiscard]] std::string_view key() const noexcept {
        const std::string_view line = key_line.reveal();
        return line.substr(key_at, line.size() - key_at - 2);
    }
};

/// All keys that owners have brought, as one shard knows them. Asking for an owner without keys is one look into a hash
/// table, and not even that while nobody has any: no request asks the database. Whoever changes keys posts the change
/// to every shard. What is kept is sealed; a key is opened for the request that uses it (5 us) and wiped behind it.
class owner_keys {
public:
    /// @param ring outlives the table
    explicit owner_keys(const crypto::key_ring& ring) noexcept : ring_(ring) {}

    /// Adds a key, or takes it in the place of the one with its id.
    void put(std::shared_ptr<const owner_key> key);
    void remove(std::string_view owner, std::string_view id);
    [[nodiscard]] std::size_t size() const noexcept { return size_; }

    /// The credential for a request to `provider` of `owner`: the key that `slug` names, without one the newest for
    /// this provider.
    /// @param slug of the field X-Provider-Key; empty: not given
    /// @param one_of_several a slug of another provider is meant for another model of the request: the newest key, then
    /// @return nullopt: the owner has no key for it, and none was asked for: the platform's is to be used
    /// Errors: bad_request when `slug` names no key, or one of another provider; internal when the key cannot be
    /// opened: never a reason to use the platform's.
    [[nodiscard]] base::result<std::optional<owner_credential>> credential_for(std::string_view owner,
                                                                               std::string_view provider,
                                                                               std::string_view slug,
                                                                               const spoken_dialect& dialect,
                                                                               bool one_of_several = false) const;

    /// Whether the owner has a key for the provider.
    [[nodiscard]] bool has(std::string_view owner, std::string_view provider) const noexcept;

    /// Opens one key. Errors: internal, in the caller's words, by the key's slug.
    [[nodiscard]] base::result<owner_credential> open(const owner_key& key, const spoken_dialect& dialect) const;

private:
    struct text_hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const noexcept { return std::hash<std::string_view>()(text); }
    };
    using keys_of_owner = std::vector<std::shared_ptr<const owner_key>>;  // the newest first

    [[nodiscard]] const keys_of_owner* find(std::string_view owner) const noexcept;

    const crypto::key_ring& ring_;
    std::unordered_map<std::string, keys_of_owner, text_hash, std::equal_to<>> owners_;
    std::size_t size_ = 0;
};

}  // namespace concurred::upstream
