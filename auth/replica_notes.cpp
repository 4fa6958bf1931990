#include "auth/replica_notes.hpp"

#include "auth/cached_key_source.hpp"
#include "auth/key_overrides.hpp"
#include "gateway/base/clock.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

namespace concurred::auth {

using base::result;

base::task<bool> replica_notes::write(storage::api_key_row row) {
    const result<std::uint64_t> epoch = co_await cache_.next_epoch();
    if (!epoch) {
        co_return false;
    }
    const std::int64_t now = base::unix_millis(std::chrono::system_clock::now());
    const std::chrono::milliseconds lifetime{key_overrides::lifetime_ms(row)};
    const key_answer state{.status = status_of(row, now), .row = std::move(row), .verified_ms = now};
    const std::string mark = codec_.encode(mark_place(state.row.id), *epoch, state);
    const result<std::optional<std::string>> place = co_await cache_.mark(state.row.id, mark, lifetime);
    if (!place) {
        co_return false;
    }
    if (*place) {
        const std::string record = codec_.encode(**place, *epoch, state);
        const result<bool> put = co_await cache_.put(**place, record, lifetime);
        if (!put) {
            co_return false;
        }
    }
    co_return true;
}

}  // namespace concurred::auth
