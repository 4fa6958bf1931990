#include "storage/database_thread.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

namespace concurred::storage {

database_thread::database_thread(std::size_t max_queued)
    : max_queued_(std::max<std::size_t>(max_queued, 1)), thread_([this] { loop(); }) {}

database_thread::~database_thread() {
    stop();
}

bool database_thread::post(job work) {
    {
        const std::scoped_lock lock(mutex_);
        // queued_ and not waiting_.size(): what the thread has taken out as a batch still waits.
        if (stopping_ || queued_.load(std::memory_order_relaxed) >= max_queued_) {
            return false;
        }
        waiting_.push_back(std::move(work));
        queued_.fetch_add(1, std::memory_order_relaxed);
    }
    wake_.notify_one();
    return true;
}

void database_thread::every(std::chrono::milliseconds interval, job work) {
    {
        const std::scoped_lock lock(mutex_);
        interval = std::max(interval, std::chrono::milliseconds(1));
        periodic_.push_back({interval, std::chrono::steady_clock::now() + interval, std::move(work)});
    }
    wake_.notify_one();
}

void database_thread::stop() {
    assert(std::this_thread::get_id() != thread_.get_id());
    {
        const std::scoped_lock lock(mutex_);
        stopping_ = true;
    }
    wake_.notify_one();
    if (thread_.joinable()) {
        thread_.join();
    }
}

database_thread::periodic* database_thread::next_due() noexcept {
    const auto first = std::min_element(periodic_.begin(), periodic_.end(),
                                        [](const periodic& a, const periodic& b) { return a.due < b.due; });
    return first == periodic_.end() ? nullptr : &*first;
}

void database_thread::run(job& work) noexcept {
    try {
        work();
    } catch (...) {  // jobs report failures themselves: this only keeps the thread alive
        failed_.fetch_add(1, std::memory_order_relaxed);
    }
}

void database_thread::loop() {
    std::unique_lock lock(mutex_);
    while (true) {
        periodic* const next = next_due();
        if (waiting_.empty()) {
            if (stopping_) {
                return;
            }
            if (next == nullptr) {
                wake_.wait(lock);
                continue;
            }
            wake_.wait_until(lock, next->due);
        }
        if (const auto now = std::chrono::steady_clock::now(); next != nullptr && !stopping_ && next->due <= now) {
            next->due = std::max(next->due + next->interval, now);
            lock.unlock();
            run(next->work);
            lock.lock();
        }
        // All that waited, before the next periodic job: a long one that is always due cannot starve them, nor they it.
        std::deque<job> batch = std::exchange(waiting_, {});
        lock.unlock();
        for (job& work : batch) {
            run(work);
            work = job();  // what it owns goes now, not when the whole batch is done
            queued_.fetch_sub(1, std::memory_order_relaxed);
        }
        lock.lock();
    }
}

}  // namespace concurred::storage
