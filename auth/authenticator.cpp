#include "auth/authenticator.hpp"

#include "auth/limit_headers.hpp"

#include <algorithm>
#include <chrono>

namespace concurred::auth {

namespace {

using base::errc;
using base::result;

// A key that changes while it is read is read again; that it changes this often at the same moment is no accident.
constexpr int most_fills = 3;

client_address key_of(const http::client_address& client) noexcept {
    return client_address::v6(client.bytes);
}

base::error bad_key() {
    return base::client_error(errc::invalid_api_key, {});
}

}  // namespace

authenticator::authenticator(base::executor shard, const key_cache_params& params, key_state_table& states,
                             key_source& source, address_limiter& failures, base::task_group& background)
    : shard_(shard),
      states_(states),
      cache_(params, states),
      source_(source),
      failures_(failures),
      background_(background) {}

authenticator::answer authenticator::find(const crypto::digest256& key, base::steady_time now, base::wall_time wall) {
    const key_cache::lookup found = cache_.find(key, now, wall);
    switch (found.state) {
        case cache_state::refresh_ahead:
            if (!flights_.contains(key)) {
                background_.spawn(refresh(key));
            }
            [[fallthrough]];
        case cache_state::fresh:
            return {outcome::good, found.who};
        case cache_state::negative:
            return {outcome::bad, nullptr};
        case cache_state::stale_usable_only_on_error:
        case cache_state::miss:
            break;
    }
    return {};
}

base::error authenticator::refused(const limit_decision& decision) const {
    base::error e = limit_error(decision);
    e.message = "Too many failed attempts from this address. Check the key, then try again later.";
    return e;
}

base::error authenticator::refuse(const http::client_address& client) {
    const client_address address = key_of(client);
    // Behind a front proxy on the same machine every client has this address: one would lock out all.
    if (!address.is_loopback()) {
        const auto decision = failures_.try_acquire(address, base::micros(std::chrono::steady_clock::now()));
        if (!decision.allowed) {
            return refused(decision);
        }
    }
    return bad_key();
}

base::task<result<const principal*>> authenticator::look_up(crypto::digest256 key, http::client_address client) {
    const client_address address = key_of(client);
    const bool seen_good =
        cache_.find(key, std::chrono::steady_clock::now(), std::chrono::system_clock::now()).who != nullptr;
    if (!seen_good && !address.is_loopback()) {
        const auto decision = failures_.would_acquire(address, base::micros(std::chrono::steady_clock::now()));
        if (!decision.allowed) {
            co_return refused(decision);
        }
    }
    for (int tries = 0; tries < most_fills; ++tries) {
        const result<void> filled = co_await fill(key);
        const key_cache::lookup now_known =
            cache_.find(key, std::chrono::steady_clock::now(), std::chrono::system_clock::now());
        if (now_known.state == cache_state::negative) {
            co_return refuse(client);
        }
        // When the source fails, what was known recently still counts.
        if (now_known.who != nullptr && (filled || now_known.state == cache_state::stale_usable_only_on_error)) {
            co_return now_known.who;
        }
        if (!filled) {
            co_return filled.error();
        }
    }
    co_return base::gateway_error(errc::service_unavailable, "The API key is being changed. Try again.");
}

base::task<result<void>> authenticator::fill(crypto::digest256 key) {
    if (const auto flight = flights_.find(key); flight != flights_.end()) {
        base::event landed(shard_);
        flight->second.push_back(&landed);
        co_await landed.wait();
        co_return result<void>();
    }
    flights_.emplace(key, std::vector<base::event*>());
    const fill_ticket ticket = cache_.begin_fill(std::chrono::steady_clock::now());
    const result<std::optional<storage::api_key_row>> row = co_await source_.find(key);
    result<void> done;
    if (!row) {
        done = row.error();
    } else if (const auto kept = keep(ticket, key, *row); !kept) {
        done = kept.error();
    }
    const auto flight = flights_.find(key);
    const std::vector<base::event*> waiting = std::move(flight->second);
    flights_.erase(flight);
    for (base::event* one : waiting) {
        one->ring();
    }
    co_return done;
}

base::task<> authenticator::refresh(crypto::digest256 key) {
    // A failure leaves the entry as it is: it is asked for again, and expires by its age.
    static_cast<void>(co_await fill(key));
}

// False: the key was changed meanwhile, and what was read may be the old state.
result<bool> authenticator::keep(const fill_ticket& ticket, const crypto::digest256& key,
                                 const std::optional<storage::api_key_row>& row) {
    const auto wall = std::chrono::system_clock::now();
    if (!row) {
        return cache_.finish_negative(ticket, key, nullptr);
    }
    key_state& state = states_.state_for(row->id);
    const bool expired = row->expires_ms && base::unix_millis(wall) >= *row->expires_ms;
    if (!row->enabled || row->deleted_ms || expired) {
        return cache_.finish_negative(ticket, key, &state);
    }
    const principal_fields fields{
        .owner = row->owner_id,
        .key_id = row->id,
        .name = row->name,
        .rate_limit = row->rate_limit,
        .rate_window = std::chrono::milliseconds(row->rate_window_ms),
        .expires_ms = row->expires_ms.value_or(0),
        .permissions = {},
        .verified_ms = base::unix_millis(wall),
    };
    auto who = make_principal(fields, state);
    if (!who) {
        return who.error();
    }
    return cache_.finish_fill(ticket, key, std::move(*who), std::chrono::steady_clock::now(), wall) != nullptr;
}

}  // namespace concurred::auth
