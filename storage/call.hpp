#pragma once

#include "gateway/base/event.hpp"
#include "gateway/base/executor.hpp"
#include "storage/database_thread.hpp"

#include <boost/asio/post.hpp>

#include <functional>
#include <optional>
#include <type_traits>
#include <utility>

namespace concurred::storage {

/// Runs a blocking call on the database thread and completes on the shard with its result; nullopt when the thread
/// takes no more work. The thread must be stopped, or the call complete, before the shard goes away.
/// @param work owns or outlives what it uses: the coroutine that awaits may not be cut short.
template <class Function>
[[nodiscard]] base::task<std::optional<std::invoke_result_t<Function&>>> call(database_thread& thread,
                                                                              base::executor shard, Function work) {
    std::optional<std::invoke_result_t<Function&>> out;
    base::event done(shard);
    const bool queued = thread.post([&out, &done, &work, shard] {
        out.emplace(std::invoke(work));
        boost::asio::post(shard, [&done] { done.ring(); });
    });
    if (queued && !done.take()) {
        co_await done.wait();
    }
    co_return std::move(out);
}

}  // namespace concurred::storage
