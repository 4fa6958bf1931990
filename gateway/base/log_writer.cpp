#include "gateway/base/log_writer.hpp"

#include "gateway/base/log_destination.hpp"
#include "gateway/base/log_queue.hpp"

#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <condition_variable>
#include <csignal>
#include <mutex>

namespace concurred::base {

namespace {

using std::chrono::milliseconds;

/// Blocks of one stream that are written before the other one gets its turn.
constexpr std::size_t blocks_per_turn = 16;

/// Without a descriptor for the wake-up the thread looks this often.
constexpr milliseconds blind_interval{50};

/// Steps from end to end: what is dropped may be much, and nobody has time for it.
std::uint64_t lines_in(std::string_view text) noexcept {
    std::uint64_t count = 0;
    for (std::size_t end = text.find('\n'); end != std::string_view::npos; end = text.find('\n', end + 1)) {
        ++count;
    }
    return count;
}

/// One stream: its queue, and the block being written. All but the queue's `push` belongs to the writer's thread.
struct channel {
    channel(int fd, std::size_t blocks) : queue(blocks), destination(fd) {}

    /// Writes until the queue is empty, the destination has no room, or it is the other one's turn.
    /// \param lost  grows by the lines that can never be written
    /// \return blocks that are done with
    std::size_t advance(std::atomic<std::uint64_t>& lost) noexcept {
        std::size_t done = 0;
        blocked = false;
        more = false;
        while (!rest.empty() || queue.pop(block)) {
            if (done == blocks_per_turn && !closed) {
                rest = rest.empty() ? std::string_view(block) : rest;
                more = true;
                return done;
            }
            if (rest.empty()) {
                rest = block;
            }
            const auto outcome = closed ? log_destination::outcome::closed : destination.write(rest);
            if (outcome == log_destination::outcome::blocked) {
                blocked = true;
                return done;
            }
            closed = outcome == log_destination::outcome::closed;
            lost.fetch_add(lines_in(rest), std::memory_order_relaxed);
            rest = {};
            ++done;
        }
        return done;
    }

    void give_up(std::atomic<std::uint64_t>& lost) noexcept {
        closed = true;
        advance(lost);
    }

    log_queue queue;
    log_destination destination;
    std::string block;
    std::string_view rest;  ///< of `block`
    bool blocked = false;   ///< waits for the destination
    bool more = false;      ///< waits for its turn
    bool closed = false;
};

}  // namespace

struct log_writer::shared_state {
    explicit shared_state(const log_writer_options& options)
        : channels{channel(options.events_fd, options.blocks), channel(options.access_fd, options.blocks)},
          wake_fd(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {}
    shared_state(const shared_state&) = delete;
    shared_state& operator=(const shared_state&) = delete;
    ~shared_state() {
        if (wake_fd >= 0) {
            ::close(wake_fd);
        }
    }

    void wake() const noexcept {
        const std::uint64_t one = 1;
        // Full means that a wake-up is under way already.
        [[maybe_unused]] const auto result = ::write(wake_fd, &one, sizeof one);
    }

    void run();
    void wait(steady_time deadline) const noexcept;

    std::array<channel, 2> channels;  ///< by log_stream
    int wake_fd;
    std::atomic<std::uint64_t> dropped{0};

    std::mutex mutex;  ///< for what follows; no shard takes it
    std::condition_variable changed;
    std::array<std::size_t, 2> done{};  ///< blocks of each channel that are written or lost
    bool stopping = false;
    bool ended = false;
    steady_time stop_at{};
};

void log_writer::shared_state::wait(steady_time deadline) const noexcept {
    std::array<pollfd, 3> watched{{{wake_fd, POLLIN, 0}, {-1, POLLOUT, 0}, {-1, POLLOUT, 0}}};
    for (std::size_t i = 0; i < channels.size(); ++i) {
        if (channels[i].blocked) {
            watched[i + 1].fd = channels[i].destination.fd();
        }
    }
    int timeout = wake_fd < 0 ? static_cast<int>(blind_interval.count()) : -1;
    if (deadline != steady_time::max()) {
        const auto left = std::chrono::ceil<milliseconds>(deadline - std::chrono::steady_clock::now());
        timeout = static_cast<int>(std::clamp(left, milliseconds(0), milliseconds(1000)).count());
    }
    ::poll(watched.data(), watched.size(), timeout);
    std::uint64_t rings = 0;
    [[maybe_unused]] const auto result = ::read(wake_fd, &rings, sizeof rings);
}

void log_writer::shared_state::run() {
    for (;;) {
        std::array<std::size_t, 2> finished{};
        for (std::size_t i = 0; i < channels.size(); ++i) {
            finished[i] = channels[i].advance(dropped);
        }
        steady_time deadline = steady_time::max();
        {
            const std::lock_guard lock(mutex);
            done[0] += finished[0];
            done[1] += finished[1];
            if (stopping) {
                deadline = stop_at;
            }
        }
        changed.notify_all();
        const bool more = channels[0].more || channels[1].more;
        if (deadline != steady_time::max()) {
            const bool idle = !more && !channels[0].blocked && !channels[1].blocked;
            if (idle || std::chrono::steady_clock::now() >= deadline) {
                break;
            }
        }
        if (!more) {
            wait(deadline);
        }
    }
    for (channel& each : channels) {
        each.give_up(dropped);
    }
    const std::lock_guard lock(mutex);
    ended = true;
    changed.notify_all();
}

log_writer::log_writer(const log_writer_options& options) : state_(std::make_unique<shared_state>(options)) {
    // A new thread inherits the mask of the one that starts it.
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    try {
        thread_ = std::thread([state = state_.get()] { state->run(); });
    } catch (...) {
        pthread_sigmask(SIG_SETMASK, &before, nullptr);
        throw;
    }
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

log_writer::~log_writer() {
    stop(std::chrono::steady_clock::now() + std::chrono::seconds(1));
    if (left_behind_) {
        [[maybe_unused]] const shared_state* kept = state_.release();
    }
}

bool log_writer::submit(log_stream stream, std::string& block) noexcept {
    if (!state_->channels[static_cast<std::size_t>(stream)].queue.push(block)) {
        return false;
    }
    state_->wake();
    return true;
}

void log_writer::drop(std::string& block) noexcept {
    drop(lines_in(block));
    block.clear();
}

void log_writer::drop(std::uint64_t lines) noexcept {
    state_->dropped.fetch_add(lines, std::memory_order_relaxed);
}

std::uint64_t log_writer::dropped() const noexcept {
    return state_->dropped.load(std::memory_order_relaxed);
}

bool log_writer::flush(steady_time deadline) {
    const std::array<std::size_t, 2> target{state_->channels[0].queue.pushed(), state_->channels[1].queue.pushed()};
    std::unique_lock lock(state_->mutex);
    return state_->changed.wait_until(lock, deadline, [&] {
        return state_->ended || (state_->done[0] >= target[0] && state_->done[1] >= target[1]);
    });
}

bool log_writer::stop(steady_time deadline) {
    if (!thread_.joinable()) {
        return !left_behind_;
    }
    const steady_time latest = std::min(deadline, std::chrono::steady_clock::now() + std::chrono::hours(1));
    // What the thread does at the deadline takes a moment too.
    constexpr milliseconds grace{200};
    bool ended = false;
    {
        std::unique_lock lock(state_->mutex);
        state_->stopping = true;
        state_->stop_at = latest;
        state_->wake();
        ended = state_->changed.wait_until(lock, latest + grace, [&] { return state_->ended; });
    }
    if (ended) {
        thread_.join();
        return true;
    }
    thread_.detach();
    left_behind_ = true;
    return false;
}

}  // namespace concurred::base
