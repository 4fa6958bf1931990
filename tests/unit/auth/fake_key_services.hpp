#pragma once

#include "auth/cached_key_source.hpp"
#include "auth/shared_key_cache.hpp"
#include "gateway/base/clock.hpp"
#include "gateway/base/log_writer.hpp"

#include <charconv>
#include <functional>
#include <map>
#include <string>
#include <utility>

namespace concurred::auth::test {

/// The replicas' store, in memory, with the semantics that its interface promises. What stands in it can be looked at
/// and spoilt.
class memory_key_cache final : public shared_key_cache {
public:
    task<found> get(std::string place) override {
        ++calls;
        if (down) {
            co_return failure();
        }
        co_return found{.epoch = epoch, .record = at(records, place)};
    }
    task<text> claim(std::string key_id, std::string place, milliseconds) override {
        ++calls;
        if (down) {
            co_return failure();
        }
        places[key_id] = place;
        co_return at(marks, key_id);
    }
    task<bool> fill(std::string place, std::string record, std::uint64_t since, milliseconds ttl) override {
        ++calls;
        if (before_fill) {
            std::exchange(before_fill, nullptr)();
        }
        if (down) {
            co_return failure();
        }
        const text there = at(records, place);
        std::uint64_t number = 0;
        if (there) {
            std::from_chars(there->data(), there->data() + there->size(), number);
        }
        if (number > since) {
            co_return false;
        }
        records[place] = record;
        last_ttl = ttl;
        co_return true;
    }
    task<std::uint64_t> next_epoch() override {
        if (down) {
            co_return failure();
        }
        co_return ++epoch;
    }
    task<text> mark(std::string key_id, std::string record, milliseconds) override {
        if (down) {
            co_return failure();
        }
        marks[key_id] = record;
        co_return at(places, key_id);
    }
    task<bool> put(std::string place, std::string record, milliseconds ttl) override {
        if (down) {
            co_return failure();
        }
        records[place] = record;
        last_ttl = ttl;
        co_return true;
    }
    task<bool> remove(std::string place) override {
        if (down) {
            co_return failure();
        }
        co_return records.erase(place) != 0;
    }

    std::map<std::string, std::string> records;
    std::map<std::string, std::string> places;
    std::map<std::string, std::string> marks;
    std::uint64_t epoch = 0;
    bool down = false;
    int calls = 0;
    milliseconds last_ttl{0};
    std::function<void()> before_fill;  ///< once: what somebody else does between our question and our fill

private:
    static base::error failure() { return base::gateway_error(base::errc::service_unavailable, "down"); }
    static text at(const std::map<std::string, std::string>& map, const std::string& key) {
        const auto found = map.find(key);
        return found == map.end() ? text() : text(found->second);
    }
};

/// A key service that says what it is told to say.
class scripted_key_source final : public key_source {
public:
    base::task<base::result<key_answer>> find(const crypto::digest256&, const crypto::secret_string&,
                                              bool known) override {
        ++calls;
        last_known = known;
        if (on_call) {
            on_call();
        }
        if (down) {
            co_return base::gateway_error(base::errc::service_unavailable, "down");
        }
        key_answer said = answer;
        said.verified_ms = base::unix_millis(std::chrono::system_clock::now());
        co_return std::move(said);
    }

    key_answer answer{};
    bool down = false;
    bool last_known = false;
    int calls = 0;
    std::function<void()> on_call;
};

inline key_answer good_key(std::string id = "key_1", std::uint32_t rate_limit = 100) {
    key_answer answer{.status = key_status::valid};
    answer.row.id = std::move(id);
    answer.row.owner_id = "owner";
    answer.row.name = "name";
    answer.row.rate_limit = rate_limit;
    return answer;
}

}  // namespace concurred::auth::test
