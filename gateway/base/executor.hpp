#pragma once

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace concurred::base {

/// The one executor type of the program: not type-erased, so that no operation pays for erasure (asio-rules 6).
using executor = boost::asio::io_context::executor_type;

/// A coroutine that runs on its shard. Lazy: nothing happens before it is awaited or spawned.
template <class T = void>
using task = boost::asio::awaitable<T, executor>;

/// Token for every asynchronous operation: results come as a tuple that begins with the error code, nothing is thrown.
inline constexpr boost::asio::as_tuple_t<boost::asio::use_awaitable_t<executor>> awaiting{};

}  // namespace concurred::base
