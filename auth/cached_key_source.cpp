#include "auth/cached_key_source.hpp"

#include "gateway/base/clock.hpp"

#include <algorithm>
#include <utility>

namespace concurred::auth {

namespace {

using base::result;
using std::chrono::milliseconds;

// A key that is changed by somebody between two looks is looked at again; this often is no accident.
constexpr int most_looks = 3;

std::int64_t now_ms() {
    return base::unix_millis(std::chrono::system_clock::now());
}

}  // namespace

std::string mark_place(std::string_view key_id) {
    return "mark:" + std::string(key_id);
}

std::optional<key_answer> cached_key_source::believe(std::string_view place, std::string_view text) {
    key_record_codec::decoded read = codec_.decode(place, text);
    if (read.wrong == key_record_codec::fault::forged) {
        ++counts_.forged;
        log_.warn("a record of a key in Redis was made by somebody who does not know the secret; it is ignored");
    }
    return read.wrong == key_record_codec::fault::none ? std::optional(std::move(read.answer)) : std::nullopt;
}

base::task<cached_key_source::shared_state> cached_key_source::look(const std::string& place) {
    shared_state out;
    const result<shared_key_cache::found> found = co_await cache_.get(place);
    if (!found) {
        ++counts_.failures;
        co_return out;
    }
    out.reachable = true;
    out.epoch = found->epoch;
    if (found->record) {
        const std::uint64_t forged_before = counts_.forged;
        out.answer = believe(place, *found->record);
        if (counts_.forged != forged_before) {
            // With a large number in it, it would keep out all that we put there.
            static_cast<void>(co_await cache_.remove(place));
        }
    }
    if (out.answer && out.answer->status == key_status::valid) {
        const std::int64_t now = now_ms();
        // A clock that runs ahead elsewhere must not keep a record young.
        out.answer->verified_ms = std::min(out.answer->verified_ms, now);
        out.answer->status = status_of(out.answer->row, now);
        if (now - out.answer->verified_ms >= ages_.hard_bound.count()) {
            out.answer.reset();
        }
    }
    co_return out;
}

milliseconds cached_key_source::lifetime(const key_answer& answer) const noexcept {
    switch (answer.status) {
        case key_status::valid:
            return ages_.hard_bound;
        case key_status::not_found:
            return ages_.not_found;
        default:
            return ages_.refused;
    }
}

// False: the key was changed while the source was asked, and its answer may be the old state.
base::task<bool> cached_key_source::store(const std::string& place, std::uint64_t epoch, key_answer& answer) {
    if (!answer.row.id.empty()) {
        const result<std::optional<std::string>> mark = co_await cache_.claim(answer.row.id, place, ages_.place);
        if (!mark) {
            ++counts_.failures;
            co_return true;
        }
        if (*mark) {
            if (auto changed = believe(mark_place(answer.row.id), **mark)) {
                answer.row = std::move(changed->row);
                answer.status = status_of(answer.row, now_ms());
            }
        }
    }
    const result<bool> filled =
        co_await cache_.fill(place, codec_.encode(place, epoch, answer), epoch, lifetime(answer));
    if (!filled) {
        ++counts_.failures;
        co_return true;
    }
    co_return *filled;
}

base::task<result<key_answer>> cached_key_source::find(const crypto::digest256& digest,
                                                       const crypto::secret_string& key, bool known) {
    const std::string place = codec_.place_of(digest);
    for (int looks = 0;; ++looks) {
        shared_state shared = co_await look(place);
        if (shared.answer) {
            const bool young = shared.answer->status != key_status::valid ||
                               now_ms() - shared.answer->verified_ms < ages_.refresh.count();
            if (young) {
                ++counts_.hits;
                co_return std::move(*shared.answer);
            }
        }
        ++counts_.misses;
        result<key_answer> asked = co_await source_.find(digest, key, known || shared.answer.has_value());
        if (!asked) {
            if (shared.answer) {
                ++counts_.stale;
                shared.answer->stale = true;
                co_return std::move(*shared.answer);
            }
            co_return asked.error();
        }
        if (!shared.reachable) {
            co_return std::move(asked);
        }
        const bool current = co_await store(place, shared.epoch, *asked);
        if (current) {
            co_return std::move(asked);
        }
        if (looks + 1 == most_looks) {
            co_return base::gateway_error(base::errc::service_unavailable, "The API key is being changed. Try again.");
        }
    }
}

}  // namespace concurred::auth
