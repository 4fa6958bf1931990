#include "auth/redis_key_cache.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>
#include <utility>

namespace concurred::auth {

namespace {

using base::result;
using storage::redis_reply;
using storage::redis_result;

constexpr std::string_view epoch_name = "gw:epoch";
constexpr std::size_t place_digits = 64;

std::string record_name(std::string_view place) {
    return "gw:vk:" + std::string(place);
}
std::string place_name(std::string_view key_id) {
    return "gw:kid:{" + std::string(key_id) + "}";
}
std::string mark_name(std::string_view key_id) {
    return "gw:kt:{" + std::string(key_id) + "}";  // in the slot of the place, so that their order holds in a Cluster
}

base::error gone(const storage::redis_error& e) {
    return base::gateway_error(base::errc::service_unavailable, "Redis: " + std::string(storage::to_text(e.code)));
}

std::optional<std::string> text_of(const redis_reply& reply) {
    return reply.is_nil() ? std::nullopt : std::optional(std::string(reply.text()));
}

std::uint64_t number_of(const redis_reply& reply) noexcept {
    std::uint64_t number = 0;
    const std::string_view text = reply.text();
    std::from_chars(text.data(), text.data() + text.size(), number);
    return number;
}

bool is_place(std::string_view text) noexcept {
    return text.size() == place_digits && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

class redis_key_cache final : public shared_key_cache {
public:
    explicit redis_key_cache(storage::redis_client& redis) : redis_(redis) {}

    // The number first: what is changed between the two is then known to be newer than what was read.
    task<found> get(std::string place) override {
        const std::string name = record_name(place);
        const std::array<std::string_view, 2> number_comes_words{"GET", epoch_name};
        auto number_comes = redis_.call(epoch_name, number_comes_words);
        if (redis_.clustered()) {
            const redis_result number = co_await std::move(number_comes);
            const std::array<std::string_view, 2> record_words{"GET", name};
            const redis_result record = co_await redis_.call(name, record_words);
            co_return both(number, record);
        }
        const std::array<std::string_view, 2> record_comes_words{"GET", name};
        auto record_comes = redis_.call(name, record_comes_words);
        const redis_result number = co_await std::move(number_comes);
        const redis_result record = co_await std::move(record_comes);
        co_return both(number, record);
    }

    task<text> claim(std::string key_id, std::string place, milliseconds ttl) override {
        const std::string name = place_name(key_id);
        const std::string lifetime = std::to_string(ttl.count());
        const std::array<std::string_view, 5> noted_words{"SET", name, place, "PX", lifetime};
        const redis_result noted = co_await redis_.call(name, noted_words);
        if (!noted) {
            co_return gone(noted.error());
        }
        const std::string mark = mark_name(key_id);
        const std::array<std::string_view, 2> read_words{"GET", mark};
        const redis_result read = co_await redis_.call(mark, read_words);
        if (!read) {
            co_return gone(read.error());
        }
        co_return text_of(*read);
    }

    task<bool> fill(std::string place, std::string record, std::uint64_t epoch, milliseconds ttl) override {
        const std::string name = record_name(place);
        const std::string number = std::to_string(epoch);
        const std::string lifetime = std::to_string(ttl.count());
        const std::array<std::string_view, 1> keys{name};
        const std::array<std::string_view, 3> arguments{number, record, lifetime};
        const redis_result done = co_await redis_.eval(fill_script_, keys, arguments);
        if (!done) {
            co_return gone(done.error());
        }
        co_return done->integer() == 1;
    }

    task<std::uint64_t> next_epoch() override {
        const std::array<std::string_view, 2> next_words{"INCR", epoch_name};
        const redis_result next = co_await redis_.call(epoch_name, next_words);
        if (!next) {
            co_return gone(next.error());
        }
        co_return static_cast<std::uint64_t>(std::max<std::int64_t>(next->integer(), 0));
    }

    task<text> mark(std::string key_id, std::string record, milliseconds ttl) override {
        const std::string name = mark_name(key_id);
        const std::string lifetime = std::to_string(ttl.count());
        const std::array<std::string_view, 5> noted_words{"SET", name, record, "PX", lifetime};
        const redis_result noted = co_await redis_.call(name, noted_words);
        if (!noted) {
            co_return gone(noted.error());
        }
        const std::string place = place_name(key_id);
        const std::array<std::string_view, 2> read_words{"GET", place};
        const redis_result read = co_await redis_.call(place, read_words);
        if (!read) {
            co_return gone(read.error());
        }
        text known = text_of(*read);
        if (known && !is_place(*known)) {
            known.reset();
        }
        co_return std::move(known);
    }

    task<bool> put(std::string place, std::string record, milliseconds ttl) override {
        const std::string name = record_name(place);
        const std::string lifetime = std::to_string(ttl.count());
        const std::array<std::string_view, 5> done_words{"SET", name, record, "PX", lifetime};
        const redis_result done = co_await redis_.call(name, done_words);
        if (!done) {
            co_return gone(done.error());
        }
        co_return true;
    }

    task<bool> remove(std::string place) override {
        const std::string name = record_name(place);
        const std::array<std::string_view, 2> done_words{"DEL", name};
        const redis_result done = co_await redis_.call(name, done_words);
        if (!done) {
            co_return gone(done.error());
        }
        co_return true;
    }

private:
    static result<found> both(const redis_result& number, const redis_result& record) {
        if (!number || !record) {
            return gone(number ? record.error() : number.error());
        }
        return found{.epoch = number_of(*number), .record = text_of(*record)};
    }

    storage::redis_client& redis_;
    // A record begins with the number of the change it tells of, and a colon.
    const storage::redis_script fill_script_{R"lua(
local there = redis.call('GET', KEYS[1])
if there then
    local number = tonumber(string.match(there, '^(%d+):'))
    if number and number > tonumber(ARGV[1]) then return 0 end
end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1
)lua"};
};

}  // namespace

std::unique_ptr<shared_key_cache> make_redis_key_cache(storage::redis_client& redis) {
    return std::make_unique<redis_key_cache>(redis);
}

}  // namespace concurred::auth
