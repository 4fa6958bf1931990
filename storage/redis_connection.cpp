#include "storage/redis_connection.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace concurred::storage {

using base::result;
using base::task;
using std::chrono::milliseconds;

redis_connection::request::~request() {
    if (owner != nullptr) {
        for (slot& s : owner->pending_) {
            if (s.waits == this) {
                s.waits = nullptr;
            }
        }
    }
}

redis_connection::redis_connection(base::executor ex, const redis_settings& settings, redis_counters& counters,
                                   locator where, demands wants, observer sees)
    : executor_(ex),
      settings_(settings),
      counters_(counters),
      where_(std::move(where)),
      wants_(wants),
      sees_(std::move(sees)),
      tasks_(ex, {}),
      socket_(ex),
      broken_(ex),
      pause_(ex),
      watchdog_(ex),
      random_(static_cast<std::minstd_rand::result_type>(settings.seed)) {
    if (!sees_.on_up) {
        sees_.on_up = [] {};
    }
    if (!sees_.on_down) {
        sees_.on_down = [](std::string_view, redis_errc) {};
    }
}

// Whoever still holds a command does not look for it here any more.
redis_connection::~redis_connection() {
    for (const slot& s : pending_) {
        if (s.waits != nullptr) {
            s.waits->owner = nullptr;
        }
    }
}

// Life of a connection

task<> redis_connection::run() {
    while (state_ != state::stopped) {
        static_cast<void>(broken_.take());
        const result<redis_address> where = co_await where_();
        if (state_ == state::stopped) {
            break;
        }
        if (!where) {
            settled_ = true;
            sees_.on_down(base::text_of(where.error()), redis_errc::down);
        } else {
            address_ = *where;
            attempt_deadline_ = clock::now() + settings_.connect_timeout;
            watch(attempt_deadline_);
            const result<void> opened = co_await socket_.open(settings_.url.via, address_, settings_.tls);
            if (state_ == state::stopped) {
                break;
            }
            if (!opened) {
                settled_ = true;
                attempt_deadline_ = base::steady_time::max();
                sees_.on_down(base::text_of(opened.error()), redis_errc::down);
            } else {
                const std::uint64_t generation = ++generation_;
                tasks_.spawn(read_loop(generation));
                const std::optional<redis_error> trouble = co_await greet();
                if (trouble && generation == generation_) {
                    fail(trouble->text, trouble->code);
                } else if (generation == generation_) {
                    attempt_deadline_ = base::steady_time::max();
                    state_ = state::up;
                    settled_ = true;
                    up_since_ = last_reply_ = clock::now();
                    ++counters_.connects;
                    watch(up_since_ + settings_.idle_ping);
                    sees_.on_up();
                    if (!broken_.take()) {
                        co_await broken_.wait();
                    }
                }
            }
        }
        if (state_ == state::stopped) {
            break;
        }
        pause_.expires_after(backoff());
        static_cast<void>(co_await pause_.async_wait(base::awaiting));
    }
    socket_.close();
}

milliseconds redis_connection::backoff() {
    const auto longest = settings_.longest_backoff;
    const milliseconds most = std::min(longest, settings_.first_backoff * (1L << std::min(failures_, 10U)));
    ++failures_;
    return milliseconds{
        std::uniform_int_distribution<milliseconds::rep>(1, std::max<milliseconds::rep>(most.count(), 1))(random_)};
}

task<std::optional<redis_error>> redis_connection::greet() {
    enum class step : std::uint8_t { identify, name, select, role, slots, ping };
    std::vector<std::pair<step, std::unique_ptr<request>>> sent;
    if (!settings_.url.password.empty()) {
        sent.emplace_back(step::identify, settings_.url.user.empty()
                                              ? greeting({"AUTH", settings_.url.password})
                                              : greeting({"AUTH", settings_.url.user, settings_.url.password}));
    }
    sent.emplace_back(step::name, greeting({"CLIENT", "SETNAME", settings_.client_name}));
    if (settings_.url.database != 0) {
        sent.emplace_back(step::select, greeting({"SELECT", std::to_string(settings_.url.database)}));
    }
    if (wants_.must_be_master) {
        sent.emplace_back(step::role, greeting({"ROLE"}));
    }
    if (wants_.ask_for_slots) {
        sent.emplace_back(step::slots, greeting({"CLUSTER", "SLOTS"}));
    }
    sent.emplace_back(step::ping, greeting({"PING"}));
    for (auto& [what, asked] : sent) {
        redis_result r = co_await finish(std::move(asked));
        if (!r && r.error().outcome_unknown()) {
            co_return r.error();
        }
        const bool unable = !r && r.error().code == redis_errc::noperm;
        if (!r &&
            (what == step::identify || what == step::select || what == step::role || (what == step::ping && !unable))) {
            co_return r.error();
        }
        if (what == step::role && (*r)[0].text() != "master") {
            co_return redis_error{redis_errc::readonly, "the server is a replica, not the master"};
        }
        if (what == step::slots && r && sees_.on_slots) {
            sees_.on_slots(*r);
        }
    }
    co_return std::nullopt;
}

void redis_connection::abandon(std::string_view why) {
    ++generation_;
    socket_.close();
    queued_.clear();
    writing_.clear();
    written_ = 0;
    flush_scheduled_ = write_blocked_ = false;
    attempt_deadline_ = base::steady_time::max();
    const std::deque<slot> pending = std::exchange(pending_, {});
    out_of_order_ = false;
    for (const slot& s : pending) {
        if (s.waits != nullptr) {
            ++counters_.lost;
            s.waits->owner = nullptr;
            s.waits->answer = redis_error{redis_errc::lost, std::string(why)};
            s.waits->answered.ring();
        }
    }
}

void redis_connection::fail(std::string_view why, redis_errc code) {
    if (state_ == state::stopped) {
        return;
    }
    const std::string reason(why);  // may be part of what is thrown away now
    if (up() && clock::now() - up_since_ > settings_.longest_backoff) {
        failures_ = 0;  // it was no flicker
    }
    abandon(reason);
    state_ = state::connecting;
    settled_ = true;
    broken_.ring();
    sees_.on_down(reason, code);
}

void redis_connection::stop() {
    if (state_ == state::stopped) {
        return;
    }
    state_ = state::stopped;
    abandon("stopped");
    pause_.cancel();
    watchdog_.cancel();
    broken_.ring();
}

// Commands

std::unique_ptr<redis_connection::request> redis_connection::admit(std::size_t bytes, std::size_t replies,
                                                                   base::steady_time by, bool is_greeting) {
    auto r = std::make_unique<request>(executor_);
    if (is_greeting ? !socket_.is_open() : !up()) {
        ++counters_.refused;
        r->answer = redis_error{redis_errc::down, {}};
    } else if (pending_.size() + replies > settings_.most_pending ||
               queued_.size() + bytes > settings_.most_queued_bytes) {
        ++counters_.refused;
        r->answer = redis_error{redis_errc::overloaded, {}};
    } else {
        const auto now = clock::now();
        const auto deadline = is_greeting ? attempt_deadline_ : std::min(by, now + settings_.command_timeout);
        out_of_order_ = !pending_.empty() && (out_of_order_ || deadline < pending_.back().deadline);
        for (std::size_t i = 1; i < replies; ++i) {
            pending_.push_back({nullptr, now, deadline});
        }
        pending_.push_back({r.get(), now, deadline});
        r->owner = this;
        ++counters_.commands;
        schedule_flush();
        watch(deadline);
    }
    return r;
}

std::unique_ptr<redis_connection::request> redis_connection::greeting(std::initializer_list<std::string_view> words) {
    auto r = admit(0, 1, base::steady_time::max(), true);
    if (!r->answer) {
        append_redis_command(queued_, {words.begin(), words.size()});
    }
    return r;
}

task<redis_result> redis_connection::call(std::span<const std::string_view> words, base::steady_time by) {
    std::size_t bytes = 0;
    for (const std::string_view word : words) {
        bytes += word.size() + 16;
    }
    auto r = admit(bytes, 1, by, false);
    if (!r->answer) {
        append_redis_command(queued_, words);
    }
    return finish(std::move(r));
}

task<redis_result> redis_connection::call_encoded(std::string_view command, base::steady_time by, std::size_t replies) {
    auto r = admit(command.size(), replies, by, false);
    if (!r->answer) {
        queued_ += command;
    }
    return finish(std::move(r));
}

task<redis_result> redis_connection::finish(std::unique_ptr<request> r) {
    if (!r->answer) {
        co_await r->answered.wait();
    }
    co_return std::move(*r->answer);
}

}  // namespace concurred::storage
