#include "storage/redis_cluster.hpp"

#include <boost/asio/basic_waitable_timer.hpp>

#include <algorithm>
#include <array>
#include <utility>

namespace concurred::storage {

namespace {

using base::task;
using std::chrono::milliseconds;
using clock = std::chrono::steady_clock;

constexpr int most_tries = 16;
constexpr milliseconds until_connected{2};
constexpr milliseconds until_settled{10};
constexpr milliseconds between_refreshes{100};

const std::string& asking() {
    static const std::string encoded = [] {
        std::string out;
        constexpr std::string_view word = "ASKING";
        append_redis_command(out, {&word, 1});
        return out;
    }();
    return encoded;
}

}  // namespace

redis_cluster::redis_cluster(base::executor ex, const redis_settings& settings, redis_counters& counters)
    : executor_(ex), settings_(settings), counters_(counters), tasks_(ex, {}) {}

void redis_cluster::learn(const redis_value& slots, const redis_address& from) {
    if (stopped_ || !slots_.load(slots, from)) {
        return;
    }
    std::erase_if(leaving_, [](const auto& one) { return one->at_rest(); });
    for (auto at = nodes_.begin(); at != nodes_.end();) {
        const auto& masters = slots_.masters();
        if (std::find(masters.begin(), masters.end(), at->first) == masters.end()) {
            at->second->stop();
            leaving_.push_back(std::move(at->second));
            at = nodes_.erase(at);
        } else {
            ++at;
        }
    }
    for (const redis_address& master : slots_.masters()) {
        static_cast<void>(node(master));
    }
}

void redis_cluster::stop() {
    stopped_ = true;
    for (auto& [at, one] : nodes_) {
        one->stop();
    }
}

bool redis_cluster::at_rest() const noexcept {
    return tasks_.running() == 0 &&
           std::all_of(nodes_.begin(), nodes_.end(), [](const auto& one) { return one.second->at_rest(); }) &&
           std::all_of(leaving_.begin(), leaving_.end(), [](const auto& one) { return one->at_rest(); });
}

redis_connection& redis_cluster::node(const redis_address& at) {
    auto& one = nodes_[at];
    if (one == nullptr) {
        one = std::make_unique<redis_connection>(
            executor_, settings_, counters_, [this, at] { return stay(at); }, redis_connection::demands{},
            redis_connection::observer{.on_up = {},
                                       // A node that is lost may have been replaced.
                                       .on_down = [this](std::string_view, redis_errc) { refresh(); },
                                       .on_slots = {}});
        if (stopped_) {
            one->stop();
        } else {
            one->start();
        }
    }
    return *one;
}

task<base::result<redis_address>> redis_cluster::stay(redis_address at) {
    co_return at;
}

redis_connection* redis_cluster::any_up() const noexcept {
    for (const auto& [at, one] : nodes_) {
        if (one->up()) {
            return one.get();
        }
    }
    return nullptr;
}

bool redis_cluster::up() const noexcept {
    return any_up() != nullptr;
}

const redis_address* redis_cluster::any_address() const noexcept {
    const redis_connection* const one = any_up();
    return one != nullptr ? &one->address() : nullptr;
}

task<> redis_cluster::pause(milliseconds time) {
    boost::asio::basic_waitable_timer<clock, boost::asio::wait_traits<clock>, base::executor> timer(executor_);
    timer.expires_after(time);
    static_cast<void>(co_await timer.async_wait(base::awaiting));
}

void redis_cluster::refresh() {
    const auto now = clock::now();
    if (stopped_ || refreshing_ || now - refreshed_ < between_refreshes) {
        return;
    }
    refreshing_ = true;
    refreshed_ = now;
    tasks_.spawn(ask_for_slots());
}

task<> redis_cluster::ask_for_slots() {
    if (redis_connection* const one = any_up()) {
        const redis_address from = one->address();
        constexpr std::array<std::string_view, 2> words{"CLUSTER", "SLOTS"};
        const redis_result slots = co_await one->call(words);
        if (slots) {
            learn(*slots, from);
        }
    }
    refreshing_ = false;
}

task<redis_result> redis_cluster::call_any(std::string command) {
    redis_connection* const one = any_up();
    if (one == nullptr) {
        ++counters_.refused;
        co_return redis_error{redis_errc::down, {}};
    }
    redis_result r = co_await one->call_encoded(command);
    co_return std::move(r);
}

task<redis_result> redis_cluster::call(std::string command, std::uint16_t slot, base::steady_time by) {
    const auto deadline = std::min(by, clock::now() + settings_.command_timeout);
    redis_error last{redis_errc::clusterdown, "no node serves the slot"};
    std::optional<redis_address> sent_to;  // by ASK, for one time
    for (int tries = 0; tries < most_tries && (tries == 0 || clock::now() < deadline); ++tries) {
        const redis_address* const owner = sent_to ? &*sent_to : slots_.owner(slot);
        if (owner == nullptr) {
            refresh();
            co_await pause(until_settled);
            continue;
        }
        const redis_address at = *owner;
        redis_connection& one = node(at);
        if (!one.settled()) {
            co_await pause(until_connected);
            continue;
        }
        const bool ask = std::exchange(sent_to, std::nullopt).has_value();
        redis_result r;
        if (ask) {
            redis_result asked = co_await one.call_encoded(asking() + command, deadline, 2);
            r = std::move(asked);
        } else {
            redis_result told = co_await one.call_encoded(command, deadline);
            r = std::move(told);
        }
        if (r) {
            co_return std::move(r);
        }
        last = r.error();
        if (last.code == redis_errc::moved || last.code == redis_errc::ask) {
            const auto to = parse_redis_redirect(last.text);
            if (!to) {
                co_return redis_error{redis_errc::protocol, "a redirection that cannot be read"};
            }
            redis_address target{to->host.empty() ? at.host : to->host, to->port};
            if (last.code == redis_errc::ask) {
                sent_to = std::move(target);
            } else {
                slots_.move(slot, target);
                refresh();
            }
        } else if (last.code == redis_errc::tryagain || last.code == redis_errc::clusterdown) {
            refresh();
            co_await pause(until_settled);
        } else {
            break;
        }
    }
    co_return last;
}

}  // namespace concurred::storage
