#include "storage/redis_subscriber.hpp"

#include "storage/redis_error.hpp"

#include <algorithm>
#include <utility>

namespace concurred::storage {

namespace {

using base::result;
using base::task;
using std::chrono::milliseconds;

void append(std::string& out, std::initializer_list<std::string_view> words) {
    append_redis_command(out, {words.begin(), words.size()});
}

}  // namespace

redis_subscriber::redis_subscriber(base::executor ex, const redis_settings& settings, credentials who,
                                   std::string channel, locator where, observer sees, milliseconds ping_interval)
    : executor_(ex),
      settings_(settings),
      who_(std::move(who)),
      channel_(std::move(channel)),
      where_(std::move(where)),
      sees_(std::move(sees)),
      ping_interval_(ping_interval),
      tasks_(ex, {}),
      socket_(ex),
      pause_(ex),
      watchdog_(ex),
      random_(static_cast<std::minstd_rand::result_type>(settings.seed ^ 0x5bd1e995U)) {}

void redis_subscriber::stop() {
    stopped_ = true;
    socket_.close();
    pause_.cancel();
    watchdog_.cancel();
}

std::string redis_subscriber::greeting() const {
    std::string out;
    if (!who_.password.empty()) {
        if (who_.user.empty()) {
            append(out, {"AUTH", who_.password});
        } else {
            append(out, {"AUTH", who_.user, who_.password});
        }
    }
    append(out, {"CLIENT", "SETNAME", settings_.client_name});
    append(out, {"SUBSCRIBE", channel_});
    return out;
}

task<> redis_subscriber::run() {
    unsigned failures = 0;
    watch();
    while (!stopped_) {
        std::string why;
        const result<redis_address> where = co_await where_();
        if (stopped_) {
            break;
        }
        if (!where) {
            why = base::text_of(where.error());
        } else {
            attempting_ = true;
            last_heard_ = clock::now();
            const result<void> opened = co_await socket_.open(settings_.url.via, *where, settings_.tls);
            if (opened && !stopped_) {
                std::string ended = co_await listen();
                why = std::move(ended);
            } else if (!opened) {
                why = base::text_of(opened.error());
            }
            attempting_ = false;
            socket_.close();
        }
        if (stopped_) {
            break;
        }
        failures = std::exchange(subscribed_, false) ? 0 : failures + 1;
        if (sees_.on_lost) {
            sees_.on_lost(why);
        }
        const auto most =
            std::min(settings_.longest_backoff, settings_.first_backoff * (1L << std::min(failures, 10U)));
        pause_.expires_after(milliseconds{std::uniform_int_distribution<milliseconds::rep>(1, most.count())(random_)});
        static_cast<void>(co_await pause_.async_wait(base::awaiting));
    }
}

task<std::string> redis_subscriber::listen() {
    const std::string hello = greeting();
    // A fresh socket takes these few bytes whole.
    if (socket_.try_write(hello).bytes != hello.size()) {
        co_return "the connection broke";
    }
    redis_reader reader(1U << 20);
    for (;;) {
        while (auto reply = reader.next()) {
            last_heard_ = clock::now();
            std::string why = take(*reply);
            if (!why.empty()) {
                co_return why;
            }
        }
        const auto r = socket_.try_read(buffer_);
        if (r.is == redis_socket::status::closed) {
            co_return "the connection broke";
        }
        if (r.is == redis_socket::status::ok) {
            if (!reader.feed({buffer_.data(), r.bytes})) {
                co_return "the server does not speak RESP2";
            }
        } else if (reader.failed()) {
            co_return "the server does not speak RESP2";
        } else {
            const auto what = r.is == redis_socket::status::want_read ? redis_socket::wait_type::wait_read
                                                                      : redis_socket::wait_type::wait_write;
            static_cast<void>(co_await socket_.async_wait(what, base::awaiting));
        }
    }
}

std::string redis_subscriber::take(const redis_value& reply) {
    if (reply.is_error()) {
        // A name for the connection is a nicety that the user may not be allowed.
        return !subscribed_ && reply.text().find("'client") != std::string_view::npos ? std::string()
                                                                                      : std::string(reply.text());
    }
    const std::string_view kind = reply[0].text();
    if (kind == "subscribe") {
        subscribed_ = true;
        if (sees_.on_subscribed) {
            sees_.on_subscribed();
        }
    } else if (kind == "message" && reply[1].text() == channel_ && sees_.on_message) {
        sees_.on_message(reply[2].text());
    }
    return {};
}

void redis_subscriber::watch() {
    // Looked at in small steps, so that a connection attempt has its own, shorter deadline.
    watchdog_.expires_after(std::min<milliseconds>(ping_interval_, milliseconds{250}));
    watchdog_.async_wait([this](boost::system::error_code ec) {
        if (ec || stopped_) {
            return;
        }
        const auto now = clock::now();
        const auto silent = now - last_heard_;
        if (attempting_ && !subscribed_ && silent > settings_.connect_timeout) {
            socket_.close();
        } else if (subscribed_ && silent > ping_interval_ + settings_.connect_timeout) {
            socket_.close();
        } else if (subscribed_ && silent > ping_interval_ && last_ping_ < last_heard_) {
            last_ping_ = now;
            std::string out;
            append(out, {"PING"});
            if (socket_.try_write(out).bytes != out.size()) {
                socket_.close();
            }
        }
        watch();
    });
}

}  // namespace concurred::storage
