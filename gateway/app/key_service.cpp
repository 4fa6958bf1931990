#include "gateway/app/key_service.hpp"

#include "auth/redis_key_cache.hpp"
#include "gateway/app/unkey_setup.hpp"
#include "gateway/base/clock.hpp"

#include <utility>

namespace concurred::app {

namespace {

using base::result;
using std::chrono::milliseconds;

constexpr std::chrono::seconds between_tries{1};

std::int64_t now_ms() {
    return base::unix_millis(std::chrono::system_clock::now());
}

// All replicas have it, and nobody who has only Redis.
std::string_view secret_of(const base::config& settings) noexcept {
    return settings.secrets.master_key.empty() ? settings.unkey.verify_key : settings.secrets.master_key;
}

}  // namespace

key_service::key_service(const surroundings& around)
    : shared_(around.shared), bus_(around.bus), shard_(around.shard), log_(around.log), background_(around.background) {
    const base::config& settings = *shared_.settings;
    if (!uses_unkey(settings)) {
        source_ = auth::make_local_key_source(around.shard, shared_.database_thread, *shared_.keys);
        admin_ = auth::make_local_key_admin(around.shard, shared_.database_thread, *shared_.keys, this);
        return;
    }
    unkey_.emplace(unkey_params(settings, around.shard, around.wheel, around.resolver, shared_.unkey_tls.get(),
                                around.log, around.shards));
    admin_ = auth::make_unkey_key_admin(*unkey_, this);
    if (around.redis == nullptr) {
        source_ = std::make_unique<auth::unkey_key_source>(*unkey_);
        return;
    }
    unkey_source_ = std::make_unique<auth::unkey_key_source>(*unkey_);
    replicas_ = auth::make_redis_key_cache(*around.redis);
    codec_.emplace(secret_of(settings));
    auto cached = std::make_unique<auth::cached_key_source>(*replicas_, *codec_, *unkey_source_, around.log);
    cached_ = cached.get();
    source_ = std::move(cached);
}

void key_service::stop() noexcept {
    stopping_ = true;
    if (unkey_) {
        unkey_->stop();
    }
}

base::task<> key_service::changed(storage::api_key_row row) {
    // The override first: whoever verifies the key from here on is corrected, whoever has done so before is undone.
    if (unkey_) {
        shared_.key_overrides.note(row, now_ms());
    }
    shared_.key_states.invalidate(row.id);
    if (replicas_) {
        const bool told = co_await tell_replicas(row);
        if (!told) {
            log_.warn("a change of a key could not be told to other replicas; it is tried again");
            background_.spawn(tell_later(row));
        }
    }
    if (bus_ != nullptr) {
        // Last: whoever hears of it finds the new state. What does not get through is announced again by the bus.
        static_cast<void>(co_await bus_->announce(row.id));
    }
}

base::task<bool> key_service::tell_replicas(storage::api_key_row row) {
    const result<std::uint64_t> epoch = co_await replicas_->next_epoch();
    if (!epoch) {
        co_return false;
    }
    const std::int64_t now = now_ms();
    const auth::key_answer state{.status = auth::status_of(row, now), .row = row, .verified_ms = now};
    const milliseconds lifetime{auth::key_overrides::lifetime_ms(row)};
    const std::string mark = codec_->encode(auth::mark_place(row.id), *epoch, state);
    const result<std::optional<std::string>> place = co_await replicas_->mark(row.id, mark, lifetime);
    if (!place) {
        co_return false;
    }
    if (*place) {
        const std::string record = codec_->encode(**place, *epoch, state);
        const result<bool> put = co_await replicas_->put(**place, record, lifetime);
        if (!put) {
            co_return false;
        }
    }
    shared_.key_overrides.forget(row.id);
    co_return true;
}

// Until Redis is there again, or nobody can remember the old state any more.
base::task<> key_service::tell_later(storage::api_key_row row) {
    const std::int64_t until = now_ms() + auth::key_overrides::lifetime_ms(row);
    while (!stopping_ && now_ms() < until) {
        timer pause(shard_, between_tries);
        co_await pause.async_wait(base::awaiting);
        if (stopping_) {
            break;
        }
        const bool told = co_await tell_replicas(row);
        if (told) {
            break;
        }
    }
}

void key_service::report(base::metrics& to) const {
    if (unkey_) {
        const auth::unkey_client::counts unkey = unkey_->numbers();
        to.key_lookups("unkey", "answered", unkey.verified);
        to.key_lookups("unkey", "failed", unkey.failed);
        to.key_lookups("unkey", "not_asked", unkey.refused);
    }
    if (cached_ != nullptr) {
        const auth::cached_key_source::counts& shared = cached_->numbers();
        to.key_lookups("redis", "hit", shared.hits);
        to.key_lookups("redis", "miss", shared.misses);
        to.key_lookups("redis", "stale", shared.stale);
        to.key_lookups("redis", "forged", shared.forged);
        to.key_lookups("redis", "failed", shared.failures);
    }
}

}  // namespace concurred::app
