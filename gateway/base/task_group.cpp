#include "gateway/base/task_group.hpp"

#include <cassert>

namespace concurred::base {

task_group::task_group(executor ex, std::function<void(std::exception_ptr)> on_failure)
    : executor_(ex), on_failure_(std::move(on_failure)), empty_(ex) {}

task_group::~task_group() {
    assert(running_ == 0 && "a shard is destroyed with tasks running");
}

task<> task_group::join() {
    while (running_ != 0) {
        if (!empty_.take()) {
            co_await empty_.wait();
        }
    }
}

void task_group::finished(std::exception_ptr failure) {
    --running_;
    if (failure && on_failure_) {
        on_failure_(failure);
    }
    if (running_ == 0) {
        empty_.ring();
    }
}

}  // namespace concurred::base
