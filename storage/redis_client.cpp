#include "storage/redis_client.hpp"

#include "storage/redis_ask.hpp"

#include <boost/container/small_vector.hpp>

#include <array>
#include <charconv>
#include <string>
#include <utility>

namespace concurred::storage {

using base::result;
using base::task;

redis_client::redis_client(base::executor ex, redis_settings settings, redis_observer sees)
    : executor_(ex),
      settings_(std::move(settings)),
      sees_(std::move(sees)),
      primary_(
          ex, settings_, counters_, [this] { return locate(); },
          {.must_be_master = !settings_.sentinel_master.empty(), .ask_for_slots = settings_.sentinel_master.empty()},
          {.on_up =
               [this] {
                   if (sees_.on_up) {
                       sees_.on_up();
                   }
               },
           .on_down =
               [this](std::string_view why, redis_errc code) {
                   if (sees_.on_down) {
                       sees_.on_down(why, code);
                   }
               },
           .on_slots = [this](const redis_value& slots) { learn_slots(slots); }}) {
    if (!settings_.sentinel_master.empty()) {
        sentinel_news_ = std::make_unique<redis_subscriber>(
            ex, settings_, redis_subscriber::credentials{settings_.sentinel_user, settings_.sentinel_password},
            "+switch-master", [this] { return next_sentinel(); },
            redis_subscriber::observer{.on_subscribed = {},
                                       .on_message = [this](std::string_view payload) { hear_sentinel(payload); },
                                       .on_lost = {}});
    }
}

void redis_client::start() {
    primary_.start();
    if (sentinel_news_) {
        sentinel_news_->start();
    }
}

void redis_client::stop() {
    primary_.stop();
    if (sentinel_news_) {
        sentinel_news_->stop();
    }
    if (cluster_) {
        cluster_->stop();
    }
}

bool redis_client::at_rest() const noexcept {
    return primary_.at_rest() && (!sentinel_news_ || sentinel_news_->at_rest()) && (!cluster_ || cluster_->at_rest());
}

// Attempts go round the hosts; of Sentinels, each attempt begins with another one.
task<result<redis_address>> redis_client::locate() {
    const std::size_t number = next_host_++;
    if (settings_.sentinel_master.empty()) {
        co_return settings_.url.hosts[number % settings_.url.hosts.size()];
    }
    result<redis_address> master = co_await redis_find_master(executor_, settings_, number);
    co_return std::move(master);
}

task<result<redis_address>> redis_client::next_sentinel() {
    co_return settings_.url.hosts[next_host_++ % settings_.url.hosts.size()];
}

task<result<redis_address>> redis_client::locate_again() {
    if (cluster_) {
        if (const redis_address* const at = cluster_->any_address()) {
            co_return *at;
        }
    }
    if (primary_.up()) {
        co_return primary_.address();
    }
    result<redis_address> at = co_await locate();
    co_return std::move(at);
}

// "<name> <old ip> <old port> <new ip> <new port>"
void redis_client::hear_sentinel(std::string_view payload) {
    if (payload.substr(0, payload.find(' ')) != settings_.sentinel_master) {
        return;
    }
    const redis_address& at = primary_.address();
    const std::string now = " " + at.host + " " + std::to_string(at.port);
    if (!payload.ends_with(now)) {
        primary_.reconnect("a Sentinel named another master");
    }
}

// A server that is no cluster answers with an error and never gets here.
void redis_client::learn_slots(const redis_value& slots) {
    if (!cluster_) {
        cluster_ = std::make_unique<redis_cluster>(executor_, settings_, counters_);
    }
    cluster_->learn(slots, primary_.address());
}

task<redis_result> redis_client::call(std::string_view key, std::span<const std::string_view> words,
                                      base::steady_time by) {
    if (!cluster_) {
        return primary_.call(words, by);
    }
    std::string command;  // kept, because it may have to be sent again
    append_redis_command(command, words);
    return key.empty() ? cluster_->call_any(std::move(command))
                       : cluster_->call(std::move(command), redis_slot(key), by);
}

task<redis_result> redis_client::eval(const redis_script& script, std::span<const std::string_view> keys,
                                      std::span<const std::string_view> arguments) {
    std::array<char, 8> digits;
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), keys.size()).ptr;
    boost::container::small_vector<std::string_view, 32> words{
        "EVALSHA", script.name(), std::string_view(digits.data(), static_cast<std::size_t>(end - digits.data()))};
    words.insert(words.end(), keys.begin(), keys.end());
    words.insert(words.end(), arguments.begin(), arguments.end());
    const auto by = std::chrono::steady_clock::now() + settings_.command_timeout;
    redis_result r = co_await call(keys.front(), std::span<const std::string_view>(words.data(), words.size()), by);
    if (!r && r.error().code == redis_errc::noscript) {
        words[0] = "EVAL";
        words[1] = script.text();
        redis_result again =
            co_await call(keys.front(), std::span<const std::string_view>(words.data(), words.size()), by);
        co_return std::move(again);
    }
    co_return std::move(r);
}

}  // namespace concurred::storage
