#include "auth/redis_limits.hpp"

#include <deque>
#include <utility>

namespace concurred::auth {

namespace {

using base::task;
using storage::redis_errc;
using storage::redis_error;
using storage::redis_result;
using storage::redis_script;

// A bucket is one number, the TAT in microseconds of Redis' clock, read once. Numbers are written with %.0f: the plain
// form keeps 14 digits. A TAT beyond what it can be was written under another clock and is pulled back; that is stored
// even when the answer is no, or nobody would get through until the clock has caught up.
const redis_script& take_script() {
    static const redis_script script(R"lua(
local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2]
local extra = tonumber(ARGV[1])
local allowed = 1
local ahead, retry, cost, unit, mend = {}, {}, {}, {}, {}
local at = 2
for i = 1, #KEYS do
  if ARGV[at] == 'b' then
    local capacity = tonumber(ARGV[at + 1])
    cost[i] = tonumber(ARGV[at + 2])
    unit[i] = tonumber(ARGV[at + 3])
    local floor = math.min(tonumber(ARGV[at + 4]), capacity)
    local most = capacity + tonumber(ARGV[at + 5])
    local a = (tonumber(redis.call('GET', KEYS[i]) or 0) or 0) - now
    if a > most then
      a = most
      mend[i] = true
    end
    a = math.max(a, floor, 0)
    ahead[i] = a
    local room = capacity - a - cost[i]
    if room < 0 then
      allowed = 0
      retry[i] = -room
    else
      retry[i] = 0
      if unit[i] > 0 then extra = math.min(extra, math.floor(room / unit[i])) end
    end
    at = at + 6
  else
    redis.call('ZREMRANGEBYSCORE', KEYS[i], '-inf', now)
    ahead[i] = redis.call('ZCARD', KEYS[i])
    retry[i] = 0
    if ahead[i] >= tonumber(ARGV[at + 1]) then
      allowed = 0
      retry[i] = 1
    end
    at = at + 4
  end
end
if allowed == 0 then extra = 0 end
at = 2
for i = 1, #KEYS do
  if ARGV[at] == 'b' then
    local taken = allowed * (cost[i] + extra * unit[i])
    if taken > 0 or mend[i] then
      ahead[i] = ahead[i] + taken
      redis.call('SET', KEYS[i], string.format('%.0f', now + ahead[i]), 'PX', math.ceil(ahead[i] / 1000) + 1)
    end
    at = at + 6
  else
    if allowed == 1 then
      local lease = tonumber(ARGV[at + 3])
      redis.call('ZADD', KEYS[i], now + lease, ARGV[at + 2])
      redis.call('PEXPIRE', KEYS[i], math.ceil(lease / 1000) + 1000)
      ahead[i] = ahead[i] + 1
    end
    at = at + 4
  end
end
local reply = {allowed, extra}
for i = 1, #KEYS do
  reply[#reply + 1] = math.ceil(ahead[i])
  reply[#reply + 1] = math.ceil(retry[i])
end
return reply
)lua");
    return script;
}

const redis_script& adjust_script() {
    static const redis_script script(R"lua(
local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2]
for i = 1, #KEYS do
  local most = tonumber(ARGV[2 * i])
  local a = math.max((tonumber(redis.call('GET', KEYS[i]) or 0) or 0) - now, 0)
  a = math.max(math.min(math.min(a, most) + tonumber(ARGV[2 * i - 1]), most), 0)
  if a > 0 then
    redis.call('SET', KEYS[i], string.format('%.0f', now + a), 'PX', math.ceil(a / 1000) + 1)
  else
    redis.call('DEL', KEYS[i])
  end
end
return 1
)lua");
    return script;
}

const redis_script& renew_script() {
    static const redis_script script(R"lua(
local t = redis.call('TIME')
local lease = tonumber(ARGV[2])
if lease == 0 then return redis.call('ZREM', KEYS[1], ARGV[1]) end
redis.call('ZADD', KEYS[1], t[1] * 1000000 + t[2] + lease, ARGV[1])
redis.call('PEXPIRE', KEYS[1], math.ceil(lease / 1000) + 1000)
return 1
)lua");
    return script;
}

std::string key_of(std::string_view owner, std::string_view name) {
    std::string key = "gw:{";
    return key.append(owner).append("}:").append(name);
}

/// Texts and views of them, in the order in which a script wants them.
struct words {
    std::deque<std::string> texts;  // a deque: the views stay valid
    boost::container::small_vector<std::string_view, 24> views;

    void add(std::string text) { views.push_back(texts.emplace_back(std::move(text))); }
    void add(std::int64_t number) { add(std::to_string(number)); }
    [[nodiscard]] std::span<const std::string_view> all() const noexcept { return {views.data(), views.size()}; }
};

}  // namespace

task<boost::system::result<charges_answer, redis_error>> redis_limits::take(std::string_view owner,
                                                                            std::span<const bucket_charge> buckets,
                                                                            std::uint32_t extra,
                                                                            const place_charge* place) {
    words keys;
    words arguments;
    arguments.add(extra);
    for (const bucket_charge& b : buckets) {
        keys.add(key_of(owner, b.name));
        arguments.add("b");
        arguments.add(b.capacity_us);
        arguments.add(b.cost_us);
        arguments.add(b.unit_us);
        arguments.add(b.floor_us);
        arguments.add(b.debt_us);
    }
    if (place != nullptr) {
        keys.add(key_of(owner, place->name));
        arguments.add("p");
        arguments.add(place->limit);
        arguments.add(std::string(place->member));
        arguments.add(place->lease.count() * 1'000);
    }
    const redis_result r = co_await redis_.eval(take_script(), keys.all(), arguments.all());
    if (!r) {
        co_return r.error();
    }
    const std::size_t count = keys.views.size();
    if (r->size() != 2 + 2 * count) {
        co_return redis_error{redis_errc::protocol, "the script for limits answered something else"};
    }
    charges_answer answer;
    answer.allowed = (*r)[0].integer() == 1;
    answer.extra = static_cast<std::uint32_t>(std::clamp<std::int64_t>((*r)[1].integer(), 0, extra));
    for (std::size_t i = 0; i < count; ++i) {
        answer.each.push_back({(*r)[2 + 2 * i].integer(), (*r)[3 + 2 * i].integer()});
    }
    co_return answer;
}

task<bool> redis_limits::adjust(std::string_view owner, std::span<const bucket_adjustment> buckets) {
    words keys;
    words arguments;
    for (const bucket_adjustment& b : buckets) {
        keys.add(key_of(owner, b.name));
        arguments.add(b.delta_us);
        arguments.add(b.most_us);
    }
    const redis_result r = co_await redis_.eval(adjust_script(), keys.all(), arguments.all());
    co_return r.has_value();
}

task<bool> redis_limits::release(std::string_view owner, place_charge place, bool renew) {
    words keys;
    words arguments;
    keys.add(key_of(owner, place.name));
    arguments.add(std::string(place.member));
    arguments.add(renew ? place.lease.count() * 1'000 : 0);
    const redis_result r = co_await redis_.eval(renew_script(), keys.all(), arguments.all());
    co_return r.has_value();
}

}  // namespace concurred::auth
