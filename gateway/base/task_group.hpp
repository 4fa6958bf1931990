#pragma once

#include "gateway/base/event.hpp"
#include "gateway/base/executor.hpp"

#include <boost/asio/co_spawn.hpp>

#include <cstddef>
#include <exception>
#include <functional>
#include <utility>

namespace concurred::base {

/// Owns the coroutines started in it: counts them, waits for the last, and insists on being empty when destroyed.
/// Belongs to one shard.
class task_group {
public:
    /// `on_failure` is told of an exception that left a task; the task is gone then, the process lives on.
    task_group(executor ex, std::function<void(std::exception_ptr)> on_failure);
    ~task_group();
    task_group(const task_group&) = delete;
    task_group& operator=(const task_group&) = delete;

    /// Starts `work` on the shard.
    void spawn(task<> work) {
        ++running_;
        boost::asio::co_spawn(executor_, std::move(work), [this](std::exception_ptr failure) { finished(failure); });
    }

    [[nodiscard]] std::size_t running() const noexcept { return running_; }

    /// Completes once no task runs.
    [[nodiscard]] task<> join();

private:
    void finished(std::exception_ptr failure);

    executor executor_;
    std::function<void(std::exception_ptr)> on_failure_;
    std::size_t running_ = 0;
    event empty_;
};

}  // namespace concurred::base
