#include "storage/redis_connection.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <utility>

// The bytes and the deadlines of a connection; its life is in redis_connection.cpp.

namespace concurred::storage {

namespace {

using base::task;
using std::chrono::milliseconds;

// Errors after which this server is not the one to talk to, whatever is asked next.
bool ends_connection(redis_errc code) noexcept {
    return code == redis_errc::readonly || code == redis_errc::loading || code == redis_errc::masterdown ||
           code == redis_errc::noauth;
}

redis_error said_by_server(const redis_value& reply) {
    return {redis_error_kind(reply.text()), std::string(reply.text())};
}

}  // namespace

// Writing

void redis_connection::schedule_flush() {
    if (!flush_scheduled_ && !write_blocked_) {
        flush_scheduled_ = true;
        boost::asio::post(executor_, [this, generation = generation_] {
            if (generation == generation_) {
                flush_scheduled_ = false;
                flush(generation);
            }
        });
    }
}

void redis_connection::flush(std::uint64_t generation) {
    while (generation == generation_ && !write_blocked_) {
        if (written_ == writing_.size()) {
            writing_.clear();
            written_ = 0;
            std::swap(writing_, queued_);
        }
        if (writing_.empty()) {
            return;
        }
        const auto r = socket_.try_write(std::string_view(writing_).substr(written_));
        if (r.is == redis_socket::status::closed) {
            fail("the connection broke", redis_errc::lost);
        } else if (r.is == redis_socket::status::ok) {
            ++counters_.writes;
            written_ += r.bytes;
        } else {
            write_blocked_ = true;
            const auto what = r.is == redis_socket::status::want_read ? redis_socket::wait_type::wait_read
                                                                      : redis_socket::wait_type::wait_write;
            socket_.async_wait(what, [this, generation](boost::system::error_code) {
                if (generation == generation_) {
                    write_blocked_ = false;
                    flush(generation);
                }
            });
        }
    }
}

// Reading

task<> redis_connection::read_loop(std::uint64_t generation) {
    redis_reader reader(settings_.most_reply_bytes);
    while (generation == generation_) {
        const auto r = socket_.try_read(buffer_);
        if (r.is == redis_socket::status::closed) {
            fail("the server closed the connection", redis_errc::lost);
        } else if (r.is == redis_socket::status::ok) {
            if (reader.feed({buffer_.data(), r.bytes})) {
                take_replies(reader, generation);
            }
            if (reader.failed() && generation == generation_) {
                fail("the server does not speak RESP2, or its reply is too large", redis_errc::protocol);
            }
        } else {
            const auto what = r.is == redis_socket::status::want_read ? redis_socket::wait_type::wait_read
                                                                      : redis_socket::wait_type::wait_write;
            static_cast<void>(co_await socket_.async_wait(what, base::awaiting));
        }
    }
}

void redis_connection::take_replies(redis_reader& reader, std::uint64_t generation) {
    while (generation == generation_) {
        std::optional<redis_reply> reply = reader.next();
        if (!reply) {
            return;
        }
        answer_oldest(std::move(*reply));
    }
}

void redis_connection::answer_oldest(redis_reply reply) {
    if (pending_.empty()) {
        fail("the server sent a reply to nothing", redis_errc::protocol);
        return;
    }
    const slot s = pending_.front();
    pending_.pop_front();
    last_reply_ = clock::now();
    if (state_ == state::stalled && (pending_.empty() || pending_.front().deadline > last_reply_)) {
        state_ = state::up;
    }
    std::optional<redis_error> error;
    if (reply.is_error()) {
        ++counters_.errors;
        error = said_by_server(reply);
    }
    if (s.waits != nullptr) {
        ++counters_.replies;
        s.waits->owner = nullptr;
        if (error) {
            s.waits->answer = *error;
        } else {
            s.waits->answer = redis_result(std::move(reply));
        }
        s.waits->answered.ring();
    }
    if (error && ends_connection(error->code) && state_ != state::connecting) {
        fail(error->text, error->code);
    }
}

// Time

void redis_connection::watch(base::steady_time until) {
    if (until >= watched_until_) {
        return;
    }
    watched_until_ = until;
    watchdog_.expires_at(until);
    watchdog_.async_wait([this](boost::system::error_code ec) {
        if (!ec && state_ != state::stopped) {
            watched_until_ = base::steady_time::max();
            on_timer();
        }
    });
}

void redis_connection::on_timer() {
    const auto now = clock::now();
    if (state_ == state::connecting) {
        if (now >= attempt_deadline_) {
            attempt_deadline_ = base::steady_time::max();
            if (pending_.empty()) {
                socket_.close();  // whoever opens it finds out
            } else {
                fail("the server did not answer the greeting in time", redis_errc::timed_out);
            }
        } else if (attempt_deadline_ != base::steady_time::max()) {
            watch(attempt_deadline_);
        }
        return;
    }
    fail_overdue(now);
    if (state_ == state::connecting) {
        return;
    }
    if (pending_.empty() && now - last_reply_ >= settings_.idle_ping) {
        ping();
    }
    base::steady_time next = pending_.empty() ? last_reply_ + settings_.idle_ping : base::steady_time::max();
    for (const slot& s : pending_) {
        // An overdue one is looked at again when it is time to give up the connection.
        next = std::min(next, s.deadline > now ? s.deadline : s.sent + settings_.stall_timeout);
        if (s.deadline > now && !out_of_order_) {
            break;
        }
    }
    watch(std::max(next, now + milliseconds{1}));
}

void redis_connection::fail_overdue(base::steady_time now) {
    for (slot& s : pending_) {
        if (s.deadline > now) {
            if (!out_of_order_) {
                break;
            }
            continue;
        }
        state_ = state::stalled;
        if (s.waits != nullptr) {
            ++counters_.timed_out;
            request* const late = std::exchange(s.waits, nullptr);
            late->owner = nullptr;
            late->answer = redis_error{redis_errc::timed_out, {}};
            late->answered.ring();
        }
    }
    if (!pending_.empty() && now - pending_.front().sent >= settings_.stall_timeout) {
        fail("the server does not answer", redis_errc::timed_out);
    }
}

void redis_connection::ping() {
    constexpr std::string_view command = "PING";
    append_redis_command(queued_, {&command, 1});
    const auto now = clock::now();
    const auto deadline = now + settings_.command_timeout;
    pending_.push_back({nullptr, now, deadline});
    schedule_flush();
    watch(deadline);
}

}  // namespace concurred::storage
