#pragma once

#include "gateway/base/clock.hpp"
#include "gateway/base/event.hpp"
#include "gateway/base/executor.hpp"
#include "gateway/base/task_group.hpp"
#include "storage/redis_error.hpp"
#include "storage/redis_settings.hpp"
#include "storage/redis_socket.hpp"

#include <boost/asio/basic_waitable_timer.hpp>

#include <array>
#include <deque>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <string_view>

namespace concurred::storage {

/// One pipelined connection to one server, made again whenever it breaks. Commands of one turn of the loop leave in one
/// write; replies are matched in order. A command is answered or failed within `command_timeout`; while the server owes
/// an overdue reply, or there is no connection, commands fail at once, so that a slow server costs no more than a dead
/// one. Belongs to one shard. Must outlive the run of its executor's context.
class redis_connection {
public:
    enum class state : std::uint8_t {
        connecting,  ///< being made, or waiting to be made again
        up,
        stalled,  ///< connected, but a reply is overdue
        stopped,
    };

    /// Where to connect next; called for every attempt.
    using locator = std::function<base::task<base::result<redis_address>>()>;
    /// What is asked of a new connection besides its greeting.
    struct demands {
        bool must_be_master = false;  ///< ROLE has to say so
        bool ask_for_slots = false;   ///< CLUSTER SLOTS, handed to `on_slots`
    };
    struct observer {
        std::function<void()> on_up{};
        std::function<void(std::string_view why, redis_errc code)> on_down{};  ///< once for each loss or failed attempt
        std::function<void(const redis_value& slots)> on_slots{};  ///< reply of CLUSTER SLOTS; may be an error
    };

    redis_connection(base::executor ex, const redis_settings& settings, redis_counters& counters, locator where,
                     demands wants, observer sees);
    ~redis_connection();
    redis_connection(const redis_connection&) = delete;
    redis_connection& operator=(const redis_connection&) = delete;

    /// Begins to connect, and stays connected until `stop`.
    void start() { tasks_.spawn(run()); }
    /// Ends everything; waiting commands fail. Afterwards nothing of this keeps the context busy.
    void stop();

    /// Sends a command and completes with its reply. It is put in line before this returns, so the order of calls is
    /// the order on the wire. Error replies come back as errors.
    /// @param words read during the call only
    /// @param by when it fails at the latest, if that is before `command_timeout` is over
    [[nodiscard]] base::task<redis_result> call(std::span<const std::string_view> words,
                                                base::steady_time by = base::steady_time::max());
    /// The same for a command that is encoded already. @param replies how many it will get; the last one counts.
    [[nodiscard]] base::task<redis_result> call_encoded(std::string_view command,
                                                        base::steady_time by = base::steady_time::max(),
                                                        std::size_t replies = 1);

    /// Gives up the connection and makes a new one: the server is not the one to talk to any more.
    void reconnect(std::string_view why) { fail(why, redis_errc::lost); }

    [[nodiscard]] state is() const noexcept { return state_; }
    [[nodiscard]] bool up() const noexcept { return state_ == state::up; }
    /// Whether the first attempt to connect has come to something, good or bad.
    [[nodiscard]] bool settled() const noexcept { return settled_; }
    /// After `stop`: nothing of it runs any more, so it may be destroyed.
    [[nodiscard]] bool at_rest() const noexcept { return tasks_.running() == 0; }
    /// Where it is connected to, or tries to.
    [[nodiscard]] const redis_address& address() const noexcept { return address_; }

private:
    using clock = std::chrono::steady_clock;
    using timer = boost::asio::basic_waitable_timer<clock, boost::asio::wait_traits<clock>, base::executor>;

    /// A command on its way, owned by who waits for it.
    struct request {
        explicit request(base::executor ex) : answered(ex) {}
        base::event answered;
        std::optional<redis_result> answer;
        redis_connection* owner = nullptr;  // set while a slot points here
        ~request();
    };
    /// A place in the order of replies; it stays when nobody waits for the reply any more.
    struct slot {
        request* waits = nullptr;
        base::steady_time sent;
        base::steady_time deadline;
    };

    [[nodiscard]] base::task<> run();
    [[nodiscard]] base::task<std::optional<redis_error>> greet();
    [[nodiscard]] base::task<> read_loop(std::uint64_t generation);
    [[nodiscard]] base::task<redis_result> finish(std::unique_ptr<request> r);
    [[nodiscard]] std::unique_ptr<request> admit(std::size_t bytes, std::size_t replies, base::steady_time by,
                                                 bool greeting);
    [[nodiscard]] std::unique_ptr<request> greeting(std::initializer_list<std::string_view> words);
    void abandon(std::string_view why);
    void schedule_flush();
    void flush(std::uint64_t generation);
    void take_replies(redis_reader& reader, std::uint64_t generation);
    void answer_oldest(redis_reply reply);
    void fail_overdue(base::steady_time now);
    void ping();
    void fail(std::string_view why, redis_errc code);
    void watch(base::steady_time until);
    void on_timer();
    [[nodiscard]] std::chrono::milliseconds backoff();

    base::executor executor_;
    const redis_settings& settings_;
    redis_counters& counters_;
    locator where_;
    demands wants_;
    observer sees_;
    base::task_group tasks_;

    redis_socket socket_;
    redis_address address_;
    state state_ = state::connecting;
    bool settled_ = false;
    std::uint64_t generation_ = 0;  // of the socket: what belongs to an older one finds out by it
    std::deque<slot> pending_;
    bool out_of_order_ = false;  // the deadlines in it
    std::string queued_;         // commands not given to the socket
    std::string writing_;        // what the socket takes at the moment
    std::size_t written_ = 0;
    bool flush_scheduled_ = false;
    bool write_blocked_ = false;
    base::steady_time last_reply_;
    base::steady_time up_since_;
    base::steady_time attempt_deadline_ = base::steady_time::max();
    base::event broken_;
    timer pause_;
    timer watchdog_;
    base::steady_time watched_until_ = base::steady_time::max();
    std::minstd_rand random_;
    unsigned failures_ = 0;
    std::array<char, 16'384> buffer_;
};

}  // namespace concurred::storage
