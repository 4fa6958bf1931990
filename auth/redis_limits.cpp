#include "auth/redis_limits.hpp"

#include "auth/redis_limit_scripts.hpp"

#include <algorithm>
#include <concepts>
#include <deque>
#include <string>
#include <utility>

namespace concurred::auth {

namespace {

using base::task;
using storage::redis_errc;
using storage::redis_error;
using storage::redis_result;

constexpr std::string_view places = "conc";
constexpr std::string_view holdings = "held";

std::string key_of(std::string_view owner, std::string_view name) {
    std::string key = "gw:{";
    return key.append(owner).append("}:").append(name);
}

/// Texts and views of them, in the order in which a script wants them.
struct words {
    std::deque<std::string> texts;  // a deque: the views stay valid
    boost::container::small_vector<std::string_view, 32> views;

    void add(std::string text) { views.push_back(texts.emplace_back(std::move(text))); }
    void add(std::string_view text) { add(std::string(text)); }
    void add(const char* text) { add(std::string(text)); }
    void add(std::integral auto number) { add(std::to_string(number)); }
    void key(std::string_view owner, std::string_view name) { add(key_of(owner, name)); }
    [[nodiscard]] std::span<const std::string_view> all() const noexcept { return {views.data(), views.size()}; }
};

void add(words& arguments, const bucket_charge& b) {
    arguments.add("b");
    arguments.add(b.held ? b.name : std::string_view());
    arguments.add(b.capacity_us);
    arguments.add(b.cost_us);
    arguments.add(b.unit_us);
    arguments.add(b.floor_us);
    arguments.add(b.debt_us);
}

void add(words& arguments, const place_charge& p) {
    arguments.add("p");
    arguments.add(p.member);
    arguments.add(p.limit);
    arguments.add(p.lease.count() * 1'000);
    arguments.add(p.floor);
    arguments.add(p.keep.count());
}

void add(words& arguments, const money_charge& m) {
    arguments.add("m");
    arguments.add(m.name);
    arguments.add(m.budget);
    arguments.add(m.cost);
    arguments.add(m.at_least);
    arguments.add(m.floor);
    arguments.add(m.keep.count());
}

}  // namespace

task<boost::system::result<charges_answer, redis_error>> redis_limits::take(std::string_view owner,
                                                                            std::span<const bucket_charge> buckets,
                                                                            std::uint32_t extra,
                                                                            const place_charge* place,
                                                                            std::span<const money_charge> money) {
    words keys;
    words arguments;
    arguments.add(extra);
    if (place != nullptr) {
        keys.key(owner, places);
        keys.key(owner, holdings);
        add(arguments, *place);
    }
    for (const bucket_charge& b : buckets) {
        keys.key(owner, b.name);
        add(arguments, b);
    }
    for (const money_charge& m : money) {
        keys.key(owner, m.name);
        add(arguments, m);
    }
    const redis_result r = co_await redis_.eval(take_script(), keys.all(), arguments.all());
    if (!r) {
        co_return r.error();
    }
    const std::size_t count = (place != nullptr ? 1 : 0) + buckets.size() + money.size();
    if (r->size() != 2 + 2 * count) {
        co_return redis_error{redis_errc::protocol, "the script for limits answered something else"};
    }
    charges_answer answer;
    answer.allowed = (*r)[0].integer() == 1;
    answer.extra = static_cast<std::uint32_t>(std::clamp<std::int64_t>((*r)[1].integer(), 0, extra));
    std::size_t at = 2;
    const auto next = [&r, &at] { return (*r)[at++].integer(); };
    if (place != nullptr) {
        answer.place.ahead_us = next();
        answer.place.retry_us = next();
    }
    for (std::size_t i = 0; i < buckets.size(); ++i) {
        charge_answer& one = answer.each.emplace_back();
        one.ahead_us = next();
        one.retry_us = next();
    }
    for (std::size_t i = 0; i < money.size(); ++i) {
        money_answer& one = answer.money.emplace_back();
        one.spent = static_cast<std::uint64_t>(std::max<std::int64_t>(next(), 0));
        one.taken = static_cast<std::uint64_t>(std::max<std::int64_t>(next(), 0));
    }
    co_return answer;
}

task<bool> redis_limits::settle(std::string_view owner, std::string_view member,
                                std::span<const charge_settlement> used) {
    words keys;
    words arguments;
    keys.key(owner, places);
    keys.key(owner, holdings);
    arguments.add(member);
    for (const charge_settlement& one : used) {
        keys.key(owner, one.name);
        arguments.add(one.money ? "m" : "b");
        arguments.add(one.name);
        arguments.add(one.used);
        arguments.add(one.most);
    }
    const redis_result r = co_await redis_.eval(settle_script(), keys.all(), arguments.all());
    co_return r.has_value();
}

task<bool> redis_limits::renew(std::string_view owner, std::span<const std::string_view> members,
                               std::chrono::milliseconds lease, std::chrono::milliseconds keep) {
    words keys;
    words arguments;
    keys.key(owner, places);
    keys.key(owner, holdings);
    arguments.add(lease.count() * 1'000);
    arguments.add(keep.count());
    for (const std::string_view member : members) {
        arguments.add(member);
    }
    const redis_result r = co_await redis_.eval(renew_script(), keys.all(), arguments.all());
    co_return r.has_value();
}

task<bool> redis_limits::adjust(std::string_view owner, std::span<const bucket_adjustment> buckets) {
    words keys;
    words arguments;
    for (const bucket_adjustment& b : buckets) {
        keys.key(owner, b.name);
        arguments.add(b.delta_us);
        arguments.add(b.most_us);
    }
    const redis_result r = co_await redis_.eval(adjust_script(), keys.all(), arguments.all());
    co_return r.has_value();
}

}  // namespace concurred::auth
