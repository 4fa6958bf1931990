#pragma once

#include "crypto/secret_string.hpp"
#include "gateway/base/error.hpp"
#include "gateway/base/executor.hpp"
#include "storage/api_key_store.hpp"
#include "storage/database_thread.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace concurred::auth {

class unkey_client;

/// Learns of changes of keys, once they are committed and before anybody is told: what it has returned from holds on
/// this process, and on the others as soon as they hear of it.
class key_change_listener {
public:
    key_change_listener() = default;
    key_change_listener(const key_change_listener&) = delete;
    key_change_listener& operator=(const key_change_listener&) = delete;
    virtual ~key_change_listener() = default;

    /// Never fails: what cannot be told to others now is told later, or ends by its age. @param row the key after the
    /// change; `deleted_ms` is set when it is gone.
    [[nodiscard]] virtual base::task<> changed(storage::api_key_row row) = 0;
};

/// A key that has just been made, and its text: the only time anybody sees it.
struct issued_key {
    storage::api_key_row row;
    crypto::secret_string key;
};

/// A key that takes the place of another.
struct rotated_key {
    issued_key made;
    storage::api_key_row old;  ///< as it is now: gone, or expiring
};

/// Makes and changes keys, whoever keeps them. `owner`: whose keys the call may see; nullopt: everybody's, for the
/// operator. A key of another owner is treated in every way as one that does not exist: nullopt. Errors: conflict when
/// the owner may have no more keys; bad_request for what the keeper cannot hold; service_unavailable when it cannot be
/// asked. Arguments are taken by value. Belongs to one shard.
class key_admin {
public:
    key_admin() = default;
    key_admin(const key_admin&) = delete;
    key_admin& operator=(const key_admin&) = delete;
    virtual ~key_admin() = default;

    template <class T>
    using task = base::task<base::result<T>>;
    using owner_name = std::optional<std::string>;

    /// @param wanted name, owner_id, limits, expiry; the rest is filled in
    /// @param max_keys keys the owner may have, expired ones not counted
    [[nodiscard]] virtual task<issued_key> create(storage::api_key_row wanted, std::uint32_t max_keys) = 0;

    /// In the order of their creation. @param include_revoked also those that are gone, where the keeper remembers them
    [[nodiscard]] virtual task<std::vector<storage::api_key_row>> list(owner_name owner, bool include_revoked) = 0;

    [[nodiscard]] virtual task<std::optional<storage::api_key_row>> find(owner_name owner, std::string id) = 0;

    /// @return the key after the change
    [[nodiscard]] virtual task<std::optional<storage::api_key_row>> update(owner_name owner, std::string id,
                                                                           storage::api_key_patch patch) = 0;

    /// For good. @return the key as it was revoked
    [[nodiscard]] virtual task<std::optional<storage::api_key_row>> revoke(owner_name owner, std::string id) = 0;

    /// Makes a key with the same name, owner and limits. The old one works on for `grace`, but not beyond its own
    /// expiry; with 0 it is gone. @param max_keys as in `create`; both keys count while both work
    [[nodiscard]] virtual task<std::optional<rotated_key>> rotate(owner_name owner, std::string id,
                                                                  std::chrono::milliseconds grace,
                                                                  std::uint32_t max_keys) = 0;
};

/// Who reads the text of an error when the store fails.
enum class error_reader : std::uint8_t {
    callers,    ///< nothing of our surroundings is theirs to know
    operators,  ///< what failed, and where
};

/// Keys in the embedded store. All outlive it. @param listener may be null: a server beside us reads the database
[[nodiscard]] std::unique_ptr<key_admin> make_local_key_admin(base::executor shard, storage::database_thread& thread,
                                                              storage::api_key_store& keys,
                                                              key_change_listener* listener,
                                                              error_reader reader = error_reader::callers);

/// Keys kept by Unkey. All outlive it. @param listener may be null
[[nodiscard]] std::unique_ptr<key_admin> make_unkey_key_admin(unkey_client& client, key_change_listener* listener);

/// The error of an owner who may have no more keys.
[[nodiscard]] base::error owner_is_full(std::uint32_t max_keys);

/// Longest grace of a rotation.
inline constexpr std::chrono::days longest_grace{30};

}  // namespace concurred::auth
