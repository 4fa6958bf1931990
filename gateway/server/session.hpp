#pragma once

#include "gateway/base/buffer_pool.hpp"
#include "gateway/base/config.hpp"
#include "gateway/http/handler.hpp"
#include "gateway/server/body_reader.hpp"
#include "gateway/server/connection.hpp"
#include "gateway/server/exchange_pool.hpp"
#include "gateway/server/response_writer.hpp"

#include <boost/intrusive/list.hpp>

namespace concurred::server {

/// What the sessions of a shard share; owned by the shard and outliving them.
struct session_context {
    base::executor executor;
    base::timing_wheel& wheel;
    base::buffer_pool& buffers;
    exchange_pool& exchanges;
    date_text& date;
    http::application& application;
    base::limits_config limits;
    bool draining = false;  ///< answers say `Connection: close`
    bool closing = false;   ///< the listener is closed: connections end when there is no request on them
};

/// One client connection: handshake, then request after request until either side is done. Belongs to one shard; lives
/// in the frame of its `run` coroutine's caller.
class session : public boost::intrusive::list_base_hook<> {
public:
    session(session_context& context, net::byte_stream stream, http::client_address client);

    /// Completes when the connection is closed and nothing of the session is in use any more.
    [[nodiscard]] base::task<> run();

    /// Ends the connection if no request is in progress or has arrived; a second later if it never had one.
    void close_if_idle() noexcept;
    /// Asks the request in progress to stop; its answer ends in an error the client can read.
    void abort() noexcept;
    /// Ends the connection now.
    void kill() noexcept;

private:
    enum class head_outcome { complete, refused, ended };

    [[nodiscard]] bool begin_idling();
    [[nodiscard]] base::task<head_outcome> read_head();
    [[nodiscard]] base::task<bool> serve();
    [[nodiscard]] base::task<> refuse();
    [[nodiscard]] base::task<bool> send(http::response& r, const framing_choice& choice);
    [[nodiscard]] base::task<bool> relay(http::response& r, const framing_choice& choice, head_text& head);
    [[nodiscard]] bool is_fresh() const noexcept { return conn_.bytes_written() == 0; }
    [[nodiscard]] http::transfer transfer(unsigned status, bool complete) const noexcept;
    [[nodiscard]] http::head_limits head_limits() const noexcept;

    session_context& context_;
    connection conn_;
    http::client_address client_;
    input_buffer input_;
    body_reader body_;
    exchange_pool::slot exchange_;  // while a request is in progress
    base::error refusal_;
    std::size_t head_size_ = 0;
    std::uint64_t written_before_ = 0;
    bool idle_ = false;
};

}  // namespace concurred::server
