#include "auth/redis_limit_scripts.hpp"

namespace concurred::auth {

using storage::redis_script;

// A bucket is one number, the TAT in microseconds. Numbers are written with %.0f: the plain form keeps 14 digits. A TAT
// beyond what it can be was written under another clock and is pulled back; that is stored even when the answer is no,
// or nobody would get through until the clock has caught up.
//
// What a member holds is a text like "tpm=1500 d20787=30": kept beside its lease, so that the money of a gateway that
// died comes back when the lease is over. (Its tokens come back by themselves.)
const redis_script& take_script() {
    static const redis_script script(R"lua(
local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2]
local extra = tonumber(ARGV[1])
local allowed = 1
local entries, freed, prior, holds, place = {}, {}, '', {}, nil
local function whole(n) return string.format('%.0f', n) end
local function held_before(name) return tonumber(string.match(prior, name .. '=(%d+)') or 0) end
local at, k = 2, 1
while at <= #ARGV do
  local e = {kind = ARGV[at], name = ARGV[at + 1], key = KEYS[k], retry = 0}
  entries[#entries + 1] = e
  if e.kind == 'p' then
    place = e
    e.hash = KEYS[k + 1]
    for _, member in ipairs(redis.call('ZRANGEBYSCORE', e.key, '-inf', whole(now), 'LIMIT', 0, 1000)) do
      for name, n in string.gmatch(redis.call('HGET', e.hash, member) or '', '(%w+)=(%d+)') do
        freed[name] = (freed[name] or 0) + n
      end
      redis.call('HDEL', e.hash, member)
      redis.call('ZREM', e.key, member)
    end
    e.ahead = redis.call('ZCOUNT', e.key, '(' .. whole(now), '+inf')
    if redis.call('ZSCORE', e.key, e.name) then e.ahead = e.ahead - 1 end
    prior = redis.call('HGET', e.hash, e.name) or ''
    local limit = tonumber(ARGV[at + 2])
    e.lease, e.keep = tonumber(ARGV[at + 3]), ARGV[at + 5]
    e.ahead = math.max(e.ahead, tonumber(ARGV[at + 4]))
    if limit > 0 and e.ahead >= limit then
      allowed = 0
      e.retry = 1
    end
    at = at + 6
    k = k + 2
  elseif e.kind == 'b' then
    local capacity = tonumber(ARGV[at + 2])
    e.cost, e.unit = tonumber(ARGV[at + 3]), tonumber(ARGV[at + 4])
    local a = (tonumber(redis.call('GET', e.key) or 0) or 0) - now
    local most = capacity + tonumber(ARGV[at + 6])
    if a > most then
      a = most
      e.mend = true
    end
    e.ahead = math.max(a, math.min(tonumber(ARGV[at + 5]), capacity), 0)
    e.used = e.ahead
    if e.name ~= '' then e.used = math.max(e.ahead - held_before(e.name), 0) end
    local room = capacity - e.used - e.cost
    if room < 0 then
      allowed = 0
      e.retry = -room
    elseif e.unit > 0 then
      extra = math.min(extra, math.floor(room / e.unit))
    end
    at = at + 7
    k = k + 1
  else
    local stored = tonumber(redis.call('GET', e.key) or 0) or 0
    e.ahead = math.max(stored - (freed[e.name] or 0), tonumber(ARGV[at + 5]), 0)
    e.used = math.max(e.ahead - held_before(e.name), 0)
    local left = tonumber(ARGV[at + 2]) - e.used
    e.keep = ARGV[at + 6]
    if left <= 0 or left < tonumber(ARGV[at + 4]) then
      allowed = 0
    else
      e.retry = math.min(tonumber(ARGV[at + 3]), left)
    end
    at = at + 7
    k = k + 1
  end
end
if allowed == 0 then extra = 0 end
for _, e in ipairs(entries) do
  if e.kind == 'b' then
    if allowed == 1 then
      local taken = e.cost + extra * e.unit
      e.ahead = e.used + taken
      if e.name ~= '' then holds[#holds + 1] = e.name .. '=' .. whole(e.cost) end
    end
    if e.ahead > 0 and (allowed == 1 or e.mend) then
      redis.call('SET', e.key, whole(now + e.ahead), 'PX', math.ceil(e.ahead / 1000) + 1)
    end
  elseif e.kind == 'm' then
    if allowed == 1 then
      e.ahead = e.used + e.retry
      holds[#holds + 1] = e.name .. '=' .. whole(e.retry)
    end
    if allowed == 1 or freed[e.name] then redis.call('SET', e.key, whole(e.ahead), 'PX', e.keep) end
  end
end
if place and allowed == 1 then
  redis.call('ZADD', place.key, whole(now + place.lease), place.name)
  redis.call('HSET', place.hash, place.name, table.concat(holds, ' '))
  redis.call('PEXPIRE', place.key, place.keep)
  redis.call('PEXPIRE', place.hash, place.keep)
  place.ahead = place.ahead + 1
end
local reply = {allowed, extra}
for _, e in ipairs(entries) do
  reply[#reply + 1] = math.ceil(e.ahead)
  reply[#reply + 1] = math.ceil(e.retry)
end
return reply
)lua");
    return script;
}

const redis_script& settle_script() {
    static const redis_script script(R"lua(
local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2]
local held = redis.call('HGET', KEYS[2], ARGV[1])
redis.call('ZREM', KEYS[1], ARGV[1])
if not held then return 0 end
redis.call('HDEL', KEYS[2], ARGV[1])
for i = 3, #KEYS do
  local at = 4 * i - 10
  local was = string.match(held, ARGV[at + 1] .. '=(%d+)')
  if was then
    local delta = tonumber(ARGV[at + 2]) - was
    if ARGV[at] == 'b' then
      local most = tonumber(ARGV[at + 3])
      local a = math.max((tonumber(redis.call('GET', KEYS[i]) or 0) or 0) - now, 0)
      a = math.max(math.min(math.min(a, most) + delta, most), 0)
      if a > 0 then
        redis.call('SET', KEYS[i], string.format('%.0f', now + a), 'PX', math.ceil(a / 1000) + 1)
      else
        redis.call('DEL', KEYS[i])
      end
    else
      local spent = math.max((tonumber(redis.call('GET', KEYS[i]) or 0) or 0) + delta, 0)
      redis.call('SET', KEYS[i], string.format('%.0f', spent), 'PX', ARGV[at + 3])
    end
  end
end
return 1
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
local ends = string.format('%.0f', t[1] * 1000000 + t[2] + ARGV[1])
for i = 3, #ARGV do redis.call('ZADD', KEYS[1], 'XX', ends, ARGV[i]) end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
redis.call('PEXPIRE', KEYS[2], ARGV[2])
return 1
)lua");
    return script;
}

}  // namespace concurred::auth
