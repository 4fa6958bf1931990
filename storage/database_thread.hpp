#pragma once

#include "storage/job.hpp"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <list>
#include <mutex>
#include <thread>

namespace concurred::storage {

/// The one thread that makes blocking database calls. Shards post jobs to it and get their answers by posting back,
/// which is the job's business. Jobs run one at a time, in the order they were posted.
class database_thread {
public:
    /// Starts the thread.
    /// @param max_queued jobs that may wait, at least 1
    explicit database_thread(std::size_t max_queued = 4'096);
    /// Stops, if that was not done.
    ~database_thread();
    database_thread(const database_thread&) = delete;
    database_thread& operator=(const database_thread&) = delete;

    /// Queues `work`. From any thread, jobs included. Takes a mutex for a moment: not for requests that need no
    /// database.
    /// @returns false when the queue is full or the thread stops: `work` was destroyed and never ran; answer 503
    [[nodiscard]] bool post(job work);

    /// Calls `work` on the thread, first after `interval` and then each `interval`; calls that fall due during a long
    /// job are merged into one. Ends with `stop`. From any thread.
    /// @param interval more than 0
    void every(std::chrono::milliseconds interval, job work);

    /// Refuses new jobs, runs all that are queued, joins. Not from a job. Calling it again does nothing.
    void stop();

    /// Jobs waiting or running. From any thread.
    [[nodiscard]] std::size_t queued() const noexcept { return queued_.load(std::memory_order_relaxed); }
    /// Jobs that ended by an exception, which is a bug of theirs. From any thread.
    [[nodiscard]] std::uint64_t failed() const noexcept { return failed_.load(std::memory_order_relaxed); }

private:
    using time_point = std::chrono::steady_clock::time_point;
    struct periodic {
        std::chrono::milliseconds interval;
        time_point due;
        job work;
    };

    void loop();
    void run(job& work) noexcept;
    [[nodiscard]] periodic* next_due() noexcept;

    const std::size_t max_queued_;
    std::mutex mutex_;  // guards waiting_, periodic_ (not the jobs in it), stopping_
    std::condition_variable wake_;
    std::deque<job> waiting_;
    std::list<periodic> periodic_;  // a list: an entry stays where it is while its job runs unlocked
    bool stopping_ = false;
    std::atomic<std::size_t> queued_{0};
    std::atomic<std::uint64_t> failed_{0};
    std::thread thread_;  // last: it uses all of the above
};

}  // namespace concurred::storage
