#include "auth/revocation_bus.hpp"

#include "gateway/base/usage_record.hpp"

#include <charconv>
#include <utility>

namespace concurred::auth {

namespace {

using base::task;
using storage::redis_result;

constexpr std::chrono::milliseconds between_tries{250};
constexpr std::size_t most_waiting = 1'000;  // beyond it, one message for all keys
constexpr std::string_view all_keys = "*";

}  // namespace

std::optional<revocation_message> parse_revocation(std::string_view payload) noexcept {
    const std::size_t space = payload.find(' ');
    if (space == std::string_view::npos) {
        return std::nullopt;
    }
    revocation_message message;
    const auto [end, ec] = std::from_chars(payload.data(), payload.data() + space, message.epoch);
    message.key_id = payload.substr(space + 1);
    const bool whole = ec == std::errc() && end == payload.data() + space;
    return whole && !message.key_id.empty() && message.key_id.size() <= base::max_id_length ? std::optional(message)
                                                                                            : std::nullopt;
}

revocation_bus::revocation_bus(base::executor ex, storage::redis_client& redis, key_state_table& states,
                               base::logger& log, bool listens)
    : redis_(redis), states_(states), log_(log), tasks_(ex, {}), pause_(ex) {
    if (listens) {
        listener_.emplace(
            ex, redis.settings(),
            storage::redis_subscriber::credentials{redis.settings().url.user, redis.settings().url.password},
            std::string(revocation_channel), [this] { return redis_.locate_again(); },
            storage::redis_subscriber::observer{.on_subscribed = [this] { listening(); },
                                                .on_message = [this](std::string_view payload) { heard(payload); },
                                                .on_lost = [this](std::string_view why) { lost(why); }});
    }
}

void revocation_bus::start() {
    if (listener_) {
        listener_->start();
    }
}

void revocation_bus::stop() {
    stopped_ = true;
    pause_.cancel();
    if (listener_) {
        listener_->stop();
    }
}

// Hearing

void revocation_bus::listening() {
    if (std::exchange(loss_reported_, false)) {
        log_.info("changes of keys are heard from the other gateways again");
    }
    ++counters_.flushes;
    states_.invalidate_all();
}

void revocation_bus::lost(std::string_view why) {
    if (!std::exchange(loss_reported_, true) && !stopped_) {
        log_.warn("changes of keys are not heard from the other gateways", {{"detail", why}});
    }
}

void revocation_bus::heard(std::string_view payload) {
    ++counters_.received;
    const auto message = parse_revocation(payload);
    // What cannot be read may be from a newer version: something has changed in any case.
    if (!message || message->key_id == all_keys) {
        ++counters_.flushes;
        states_.invalidate_all();
    } else {
        states_.invalidate(message->key_id);
    }
}

// Telling

task<bool> revocation_bus::announce(std::string key_id) {
    states_.invalidate(key_id);
    const bool told = co_await publish(key_id);
    if (!told && !stopped_) {
        ++counters_.delayed;
        if (waiting_.size() >= most_waiting) {
            waiting_ = {std::string(all_keys)};
        } else {
            waiting_.insert(std::move(key_id));
        }
        if (!std::exchange(repeating_, true)) {
            tasks_.spawn(announce_again());
        }
    }
    co_return told;
}

task<bool> revocation_bus::publish(std::string key_id) {
    const redis_result epoch = co_await redis_.call(revocation_epoch_key, "INCR", revocation_epoch_key);
    if (!epoch) {
        co_return false;
    }
    const std::string message = std::to_string(epoch->integer()) + " " + key_id;
    const redis_result sent = co_await redis_.call("", "PUBLISH", revocation_channel, message);
    counters_.announced += sent ? 1 : 0;
    co_return sent.has_value();
}

task<> revocation_bus::announce_again() {
    while (!stopped_ && !waiting_.empty()) {
        pause_.expires_after(between_tries);
        static_cast<void>(co_await pause_.async_wait(base::awaiting));
        bool told = redis_.up();
        while (!stopped_ && told && !waiting_.empty()) {
            const std::string key_id = *waiting_.begin();
            told = co_await publish(key_id);
            if (told) {
                waiting_.erase(key_id);
            }
        }
    }
    repeating_ = false;
}

}  // namespace concurred::auth
