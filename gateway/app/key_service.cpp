#include "gateway/app/key_service.hpp"

#include "auth/redis_key_cache.hpp"
#include "gateway/app/unkey_setup.hpp"
#include "gateway/base/clock.hpp"

#include <string>
#include <utility>

namespace concurred::app {

namespace {

constexpr std::chrono::milliseconds between_tries{250};

std::int64_t now_ms() {
    return base::unix_millis(std::chrono::system_clock::now());
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
    codec_.emplace(make_record_codec(settings, shared_.master_keys));
    notes_.emplace(*replicas_, *codec_);
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
    if (notes_) {
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
    const std::string id = row.id;
    const bool told = co_await notes_->write(std::move(row));
    if (told) {
        shared_.key_overrides.forget(id);
    }
    co_return told;
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
            // Replicas that have heard of the change already have found the old state.
            if (bus_ != nullptr) {
                static_cast<void>(co_await bus_->announce(row.id));
            }
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
