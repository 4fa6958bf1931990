#include "auth/key_admin.hpp"
#include "auth/unkey_client.hpp"
#include "auth/unkey_messages.hpp"
#include "crypto/random.hpp"
#include "gateway/base/clock.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

namespace concurred::auth {

namespace {

using base::errc;
using base::result;
using storage::api_key_row;

constexpr std::size_t attempt_length = 20;
constexpr int most_pages = 100;  // of 100 keys
// Within so many keys of the ceiling others may be making keys for the same owner at this moment: count again.
constexpr std::uint32_t near_the_ceiling = 8;

std::int64_t now_ms() {
    return base::unix_millis(std::chrono::system_clock::now());
}

base::error failed(unkey_fault fault) {
    base::error e = base::gateway_error(errc::service_unavailable, "The key service cannot be reached at the moment.");
    e.retry_after = std::chrono::seconds(fault == unkey_fault::limited ? 10 : 1);
    return e;
}

base::error not_managed() {
    return base::gateway_error(errc::not_implemented,
                               "Keys are managed in Unkey's dashboard: this gateway has no unkey.manage_key.");
}

/// Keys that count against the ceiling.
std::uint32_t working(const std::vector<api_key_row>& keys) {
    const std::int64_t now = now_ms();
    return static_cast<std::uint32_t>(std::count_if(
        keys.begin(), keys.end(), [now](const api_key_row& row) { return !row.expires_ms || *row.expires_ms > now; }));
}

class unkey_key_admin final : public key_admin {
public:
    unkey_key_admin(unkey_client& client, key_change_listener* listener) : client_(client), listener_(listener) {}

    task<issued_key> create(api_key_row wanted, std::uint32_t max_keys) override {
        if (!client_.manages()) {
            co_return not_managed();
        }
        if (!is_unkey_owner(wanted.owner_id)) {
            co_return base::client_error(
                errc::bad_request,
                "An owner in Unkey must be 1 to 128 of the characters A-Z, a-z, 0-9, '_', '.', '-'.");
        }
        const result<std::vector<api_key_row>> before = co_await list(wanted.owner_id, false);
        if (!before) {
            co_return before.error();
        }
        const std::uint32_t present = working(*before);
        if (present >= max_keys) {
            co_return owner_is_full(max_keys);
        }
        const std::string attempt = crypto::random_alphanumeric(attempt_length);
        const std::string body = unkey_create_body(client_.api_id(), wanted, attempt);
        unkey_client::managed reply = co_await client_.manage("keys.createKey", body, false);
        if (!reply.ok) {
            if (!reply.unseen) {
                co_await clean_up(wanted.owner_id, attempt);
            }
            co_return failed(reply.fault);
        }
        auto made = new_key_of(reply);
        if (!made) {
            co_await clean_up(wanted.owner_id, attempt);
            co_return failed(unkey_fault::unavailable);
        }
        wanted.id = made->key_id;
        wanted.start = made->key.reveal().substr(0, 7);
        wanted.created_ms = wanted.updated_ms = now_ms();
        if (present + near_the_ceiling >= max_keys) {
            const bool room = co_await still_has_room(wanted, max_keys);
            if (!room) {
                co_return owner_is_full(max_keys);
            }
        }
        co_return issued_key{std::move(wanted), std::move(made->key)};
    }

    task<std::vector<api_key_row>> list(owner_name owner, bool) override {
        if (!client_.manages()) {
            co_return not_managed();
        }
        std::vector<api_key_row> all;
        if (owner && !is_unkey_owner(*owner)) {
            co_return all;  // nobody of that name can have a key there
        }
        std::string cursor;
        for (int pages = 0; pages < most_pages; ++pages) {
            const std::string body = unkey_list_body(client_.api_id(), owner.value_or(""), cursor);
            const unkey_client::managed reply = co_await client_.manage("apis.listKeys", body, true);
            auto page = reply.ok ? parse_unkey_page(reply.body, client_.default_rate_limit()) : std::nullopt;
            if (!page) {
                co_return failed(reply.fault);
            }
            for (api_key_row& row : page->keys) {
                // What was asked for; and yet, whose key it is decides here.
                if (!owner || row.owner_id == *owner) {
                    all.push_back(std::move(row));
                }
            }
            if (page->cursor.empty()) {
                break;
            }
            cursor = std::move(page->cursor);
        }
        std::sort(all.begin(), all.end(), [](const api_key_row& a, const api_key_row& b) {
            return std::tie(a.created_ms, a.id) < std::tie(b.created_ms, b.id);
        });
        co_return std::move(all);
    }

    task<std::optional<api_key_row>> find(owner_name owner, std::string id) override {
        if (!client_.manages()) {
            co_return not_managed();
        }
        const std::string body = unkey_id_body(id);
        const unkey_client::managed reply = co_await client_.manage("keys.getKey", body, true);
        if (!reply.ok) {
            if (reply.fault == unkey_fault::not_found) {
                co_return std::optional<api_key_row>();
            }
            co_return failed(reply.fault);
        }
        const auto data = unkey_data(200, reply.body);
        auto row = data ? parse_unkey_key(*data, client_.default_rate_limit()) : std::nullopt;
        if (!row || row->id != id) {
            co_return failed(unkey_fault::unavailable);
        }
        // The root key can touch everybody's keys: whose it is must be looked at before anything else.
        if (owner && row->owner_id != *owner) {
            co_return std::optional<api_key_row>();
        }
        co_return std::move(row);
    }

    task<std::optional<api_key_row>> update(owner_name owner, std::string id, storage::api_key_patch patch) override {
        result<std::optional<api_key_row>> row = co_await find(owner, id);
        if (!row || !*row) {
            co_return std::move(row);
        }
        if (!patch.apply_to(**row)) {
            // Somebody has changed it at Unkey's: what we remember of it is out of date all the same.
            co_await announce(**row);
            co_return std::move(row);
        }
        (*row)->updated_ms = now_ms();
        const std::string body = unkey_update_body(**row);
        const unkey_client::managed reply = co_await client_.manage("keys.updateKey", body, true);
        result<bool> done = co_await committed(reply, **row);
        if (!done) {
            co_return done.error();
        }
        if (!*done) {
            co_return std::optional<api_key_row>();
        }
        co_return std::move(row);
    }

    task<std::optional<api_key_row>> revoke(owner_name owner, std::string id) override {
        result<std::optional<api_key_row>> row = co_await find(owner, id);
        if (!row || !*row) {
            co_return std::move(row);
        }
        (*row)->deleted_ms = now_ms();
        const std::string body = unkey_id_body(id);
        const unkey_client::managed reply = co_await client_.manage("keys.deleteKey", body, true);
        result<bool> done = co_await committed(reply, **row);
        if (!done) {
            co_return done.error();
        }
        if (!*done) {
            co_return std::optional<api_key_row>();
        }
        co_return std::move(row);
    }

    task<std::optional<rotated_key>> rotate(owner_name owner, std::string id, std::chrono::milliseconds grace,
                                            std::uint32_t max_keys) override {
        result<std::optional<api_key_row>> found = co_await find(owner, id);
        if (!found) {
            co_return found.error();
        }
        if (!*found) {
            co_return std::optional<rotated_key>();
        }
        api_key_row& old = **found;
        const result<std::vector<api_key_row>> all = co_await list(old.owner_id, false);
        if (!all) {
            co_return all.error();
        }
        if (working(*all) / 2 >= max_keys) {
            co_return owner_is_full(2 * max_keys);
        }
        const std::int64_t now = now_ms();
        std::int64_t until = now + grace.count();
        if (old.expires_ms) {
            until = std::clamp(*old.expires_ms, now, until);
        }
        const std::string body = unkey_reroll_body(id, until - now);
        const unkey_client::managed reply = co_await client_.manage("keys.rerollKey", body, false);
        auto made = new_key_of(reply);
        if (!made) {
            if (!reply.ok && reply.fault == unkey_fault::not_found) {
                co_return std::optional<rotated_key>();
            }
            co_return failed(reply.fault);
        }
        api_key_row fresh = old;
        fresh.id = made->key_id;
        fresh.start = made->key.reveal().substr(0, 7);
        fresh.created_ms = fresh.updated_ms = now;
        fresh.last_used_ms.reset();
        old.updated_ms = now;
        (until > now ? old.expires_ms : old.deleted_ms) = until;
        co_await announce(old);
        co_return rotated_key{{std::move(fresh), std::move(made->key)}, std::move(old)};
    }

private:
    static std::optional<unkey_new_key> new_key_of(const unkey_client::managed& reply) {
        const auto data = reply.ok ? unkey_data(200, reply.body) : unkey_fault::unavailable;
        return data ? parse_unkey_new_key(*data) : std::nullopt;
    }

    /// What a change has come to. @return false: there is no such key any more
    base::task<result<bool>> committed(const unkey_client::managed& reply, const api_key_row& row) {
        // A change whose answer got lost may have been made: then it is better in force than not.
        if (reply.ok || !reply.unseen) {
            co_await announce(row);
        }
        if (!reply.ok && reply.fault == unkey_fault::not_found) {
            co_return false;
        }
        if (!reply.ok) {
            co_return failed(reply.fault);
        }
        co_return true;
    }

    base::task<> announce(api_key_row row) {
        if (listener_ != nullptr) {
            co_await listener_->changed(std::move(row));
        }
    }

    /// There is no way to repeat a creation safely. A key that nobody has seen is found by its mark and deleted.
    base::task<> clean_up(std::string owner, std::string attempt) {
        const result<std::vector<api_key_row>> keys = co_await list(owner, false);
        if (!keys) {
            co_return;
        }
        for (const api_key_row& row : *keys) {
            if (unkey_attempt_of(row) == attempt) {
                const std::string body = unkey_id_body(row.id);
                static_cast<void>(co_await client_.manage("keys.deleteKey", body, true));
            }
        }
    }

    /// Others may have made keys for the owner at the same time: the oldest stay.
    base::task<bool> still_has_room(const api_key_row& made, std::uint32_t max_keys) {
        const result<std::vector<api_key_row>> after = co_await list(made.owner_id, false);
        if (!after || working(*after) <= max_keys) {
            co_return true;
        }
        const auto end = after->begin() + max_keys;
        const bool among_the_first =
            std::any_of(after->begin(), end, [&made](const api_key_row& row) { return row.id == made.id; });
        if (!among_the_first) {
            const std::string body = unkey_id_body(made.id);
            static_cast<void>(co_await client_.manage("keys.deleteKey", body, true));
        }
        co_return among_the_first;
    }

    unkey_client& client_;
    key_change_listener* listener_;
};

}  // namespace

std::unique_ptr<key_admin> make_unkey_key_admin(unkey_client& client, key_change_listener* listener) {
    return std::make_unique<unkey_key_admin>(client, listener);
}

}  // namespace concurred::auth
