#include "auth/api_key_format.hpp"
#include "auth/key_admin.hpp"
#include "crypto/digest.hpp"
#include "gateway/base/clock.hpp"
#include "storage/call.hpp"

#include <limits>
#include <type_traits>
#include <utility>

namespace concurred::auth {

namespace {

using base::errc;
using base::result;
using storage::api_key_row;

std::int64_t now_ms() {
    return base::unix_millis(std::chrono::system_clock::now());
}

base::error store_failed(const base::error& cause) {
    base::error e =
        base::gateway_error(errc::service_unavailable, "API keys cannot be managed at the moment.", cause.cause);
    e.retry_after = std::chrono::seconds(1);
    return e;
}

storage::owner_scope scope_of(const key_admin::owner_name& owner) {
    return owner ? storage::owner_scope(*owner) : std::nullopt;
}

/// Gives the row a new id and key.
result<crypto::secret_string> issue(api_key_row& row) {
    auto key = generate_api_key();
    if (key) {
        crypto::sha256_hasher hash;
        row.id = make_key_id();
        row.hash = hash_text(hash(key->reveal()));
        row.start = key_start(key->reveal());
    }
    return key;
}

class local_key_admin final : public key_admin {
public:
    local_key_admin(base::executor shard, storage::database_thread& thread, storage::api_key_store& keys,
                    key_change_listener* listener, error_reader reader)
        : shard_(shard), thread_(thread), keys_(keys), listener_(listener), reader_(reader) {}

    task<issued_key> create(api_key_row wanted, std::uint32_t max_keys) override {
        auto key = issue(wanted);
        if (!key) {
            co_return key.error();
        }
        wanted.created_ms = wanted.updated_ms = now_ms();
        auto work = [this, wanted, max_keys] { return keys_.insert(wanted, max_keys); };
        const result<storage::insert_outcome> outcome = co_await on_thread(std::move(work));
        if (!outcome) {
            co_return outcome.error();
        }
        if (const auto refused = refusal(*outcome, max_keys)) {
            co_return *refused;
        }
        co_return issued_key{std::move(wanted), std::move(*key)};
    }

    task<std::vector<api_key_row>> list(owner_name owner, bool include_revoked) override {
        auto work = [this, owner, include_revoked] {
            return keys_.list(scope_of(owner), {.include_revoked = include_revoked});
        };
        result<std::vector<api_key_row>> rows = co_await on_thread(std::move(work));
        co_return std::move(rows);
    }

    task<std::optional<api_key_row>> find(owner_name owner, std::string id) override {
        auto work = [this, owner, id] { return keys_.find_by_id(scope_of(owner), id); };
        result<std::optional<api_key_row>> row = co_await on_thread(std::move(work));
        co_return std::move(row);
    }

    task<std::optional<api_key_row>> update(owner_name owner, std::string id, storage::api_key_patch patch) override {
        auto work = [this, owner, id, patch] { return keys_.update(scope_of(owner), id, patch, now_ms()); };
        result<std::optional<api_key_row>> row = co_await on_thread(std::move(work));
        if (row && *row) {
            co_await announce(**row);
        }
        co_return std::move(row);
    }

    task<std::optional<api_key_row>> revoke(owner_name owner, std::string id) override {
        auto work = [this, owner, id] { return keys_.revoke(scope_of(owner), id, now_ms()); };
        result<std::optional<api_key_row>> row = co_await on_thread(std::move(work));
        if (row && *row) {
            co_await announce(**row);
        }
        co_return std::move(row);
    }

    task<std::optional<rotated_key>> rotate(owner_name owner, std::string id, std::chrono::milliseconds grace,
                                            std::uint32_t max_keys) override {
        api_key_row made;
        auto key = issue(made);
        if (!key) {
            co_return key.error();
        }
        // Each rotation with a grace adds a key for a while: they have room of their own, as much again.
        const std::uint32_t room = max_keys > std::numeric_limits<std::uint32_t>::max() / 2 ? max_keys : 2 * max_keys;
        auto work = [this, owner, id, made, grace, room] {
            return keys_.rotate(scope_of(owner), id, made, grace.count(), room, now_ms());
        };
        result<storage::rotation> outcome = co_await on_thread(std::move(work));
        if (!outcome) {
            co_return outcome.error();
        }
        if (!outcome->old) {
            co_return std::optional<rotated_key>();
        }
        if (const auto refused = refusal(outcome->outcome, room)) {
            co_return *refused;
        }
        co_await announce(*outcome->old);
        co_return rotated_key{{std::move(outcome->made), std::move(*key)}, std::move(*outcome->old)};
    }

private:
    template <class Work>
    base::task<std::invoke_result_t<Work&>> on_thread(Work work) {
        std::optional<std::invoke_result_t<Work&>> done = co_await storage::call(thread_, shard_, std::move(work));
        if (!done) {
            co_return store_failed({});
        }
        if (!*done && reader_ == error_reader::callers) {
            co_return store_failed(done->error());
        }
        co_return std::move(*done);
    }

    base::task<> announce(api_key_row row) {
        if (listener_ != nullptr) {
            co_await listener_->changed(std::move(row));
        }
    }

    static std::optional<base::error> refusal(storage::insert_outcome outcome, std::uint32_t max_keys) {
        switch (outcome) {
            case storage::insert_outcome::inserted:
                return std::nullopt;
            case storage::insert_outcome::owner_full:
                return owner_is_full(max_keys);
            case storage::insert_outcome::duplicate:
                break;
        }
        return base::gateway_error(errc::internal, "The new key's id was taken already. Try again.");
    }

    base::executor shard_;
    storage::database_thread& thread_;
    storage::api_key_store& keys_;
    key_change_listener* listener_;
    error_reader reader_;
};

}  // namespace

base::error owner_is_full(std::uint32_t max_keys) {
    return base::client_error(errc::conflict, "There may be at most " + std::to_string(max_keys) +
                                                  " API keys (limits.keys_per_owner). Delete one first.");
}

std::unique_ptr<key_admin> make_local_key_admin(base::executor shard, storage::database_thread& thread,
                                                storage::api_key_store& keys, key_change_listener* listener,
                                                error_reader reader) {
    return std::make_unique<local_key_admin>(shard, thread, keys, listener, reader);
}

}  // namespace concurred::auth
