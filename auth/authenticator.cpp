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

// Unknown, disabled and expired keys get one and the same answer: nobody learns from it that a key exists.
base::error bad_key() {
    return base::client_error(errc::invalid_api_key, {});
}

base::error used_up(key_status why) {
    const bool credits = why == key_status::usage_exceeded;
    base::error e = base::client_error(errc::rate_limit_exceeded,
                                       credits ? "The credits of this API key are used up."
                                               : "The key service has limited this API key. Try again later.");
    e.details = "{\"retryAfter\":10}";
    e.retry_after = std::chrono::seconds(10);  // no earlier is anybody asked again
    if (credits) {
        e.upstream_type = "insufficient_quota";  // as OpenAI names it
    }
    return e;
}

}  // namespace

authenticator::authenticator(base::executor shard, const key_cache_params& params, key_state_table& states,
                             key_source& source, address_limiter& failures, base::task_group& background,
                             const key_overrides* overrides)
    : shard_(shard),
      states_(states),
      cache_(params, states),
      source_(source),
      failures_(failures),
      background_(background),
      overrides_(overrides) {}

authenticator::answer authenticator::find(const crypto::digest256& key, std::string_view text, base::steady_time now,
                                          base::wall_time wall) {
    const key_cache::lookup found = cache_.find(key, now, wall);
    switch (found.state) {
        case cache_state::refresh_ahead:
            if (!flights_.contains(key)) {
                background_.spawn(refresh(key, crypto::secret_string(text)));
            }
            [[fallthrough]];
        case cache_state::fresh:
            return {outcome::good, found.who};
        case cache_state::negative:
            return {outcome::bad, nullptr, found.why};
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

base::error authenticator::refuse(const http::client_address& client, key_status why) {
    if (why == key_status::forbidden) {
        return base::client_error(errc::forbidden, "This API key may not be used here.");
    }
    if (why == key_status::rate_limited || why == key_status::usage_exceeded) {
        return used_up(why);
    }
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

base::task<result<const principal*>> authenticator::look_up(crypto::digest256 key, crypto::secret_string text,
                                                            http::client_address client) {
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
        const result<void> filled = co_await fill(key, text, seen_good);
        const key_cache::lookup now_known =
            cache_.find(key, std::chrono::steady_clock::now(), std::chrono::system_clock::now());
        if (now_known.state == cache_state::negative) {
            co_return refuse(client, now_known.why);
        }
        // When the source fails, what was known recently still counts.
        if (now_known.who != nullptr) {
            co_return now_known.who;
        }
        if (!filled) {
            co_return filled.error();
        }
    }
    co_return base::gateway_error(errc::service_unavailable, "The API key is being changed. Try again.");
}

base::task<result<void>> authenticator::fill(crypto::digest256 key, const crypto::secret_string& text, bool known) {
    if (const auto flight = flights_.find(key); flight != flights_.end()) {
        base::event landed(shard_);
        result<void> shared;
        flight->second.push_back({&landed, &shared});
        co_await landed.wait();
        co_return shared;
    }
    flights_.emplace(key, std::vector<passenger>());
    const fill_ticket ticket = cache_.begin_fill(std::chrono::steady_clock::now());
    result<key_answer> said = co_await source_.find(key, text, known);
    result<void> done;
    bool failed = !said;
    if (!said) {
        done = keys_unavailable(said.error());
    } else {
        failed = said->stale;
        if (const auto kept = keep(ticket, key, std::move(*said)); !kept) {
            done = kept.error();
        }
    }
    if (failed) {
        cache_.fill_failed(key, std::chrono::steady_clock::now());
    }
    const auto flight = flights_.find(key);
    const std::vector<passenger> waiting = std::move(flight->second);
    flights_.erase(flight);
    for (const passenger& one : waiting) {
        *one.outcome = done;
        one.landed->ring();
    }
    co_return done;
}

base::task<> authenticator::refresh(crypto::digest256 key, crypto::secret_string text) {
    // A failure leaves the entry as it is: it is asked for again, and expires by its age.
    static_cast<void>(co_await fill(key, text, true));
}

// False: the key was changed meanwhile, and what was read may be the old state.
result<bool> authenticator::keep(const fill_ticket& ticket, const crypto::digest256& key, key_answer said) {
    const auto wall = std::chrono::system_clock::now();
    if (overrides_ != nullptr) {
        overrides_->apply(said, base::unix_millis(wall));
    }
    const storage::api_key_row& row = said.row;
    if (said.status != key_status::valid) {
        return cache_.finish_negative(ticket, key, said.status);
    }
    const principal_fields fields{
        .owner = row.owner_id,
        .key_id = row.id,
        .name = row.name,
        .rate_limit = row.rate_limit,
        .rate_window = std::chrono::milliseconds(row.rate_window_ms),
        .spend = {.tokens_per_minute = row.spend.tokens_per_minute,
                  .concurrency = row.spend.concurrency,
                  .day_nano_usd = row.spend.budget_day_nano_usd,
                  .month_nano_usd = row.spend.budget_month_nano_usd},
        .expires_ms = row.expires_ms.value_or(0),
        .permissions = {},
        .verified_ms = said.verified_ms,
    };
    auto who = make_principal(fields, states_.state_for(row.id));
    if (!who) {
        return who.error();
    }
    return cache_.finish_fill(ticket, key, std::move(*who), std::chrono::steady_clock::now(), wall) != nullptr;
}

}  // namespace concurred::auth
