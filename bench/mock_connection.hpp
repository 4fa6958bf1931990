#pragma once

#include "bench/mock_buffer.hpp"
#include "bench/mock_request.hpp"
#include "bench/mock_responder.hpp"
#include "bench/mock_script.hpp"
#include "bench/mock_transport.hpp"
#include "gateway/base/clock.hpp"

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/io_context.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

namespace concurred::bench {

/// One client connection: reads requests, plays scripts. A state machine of callbacks on one thread; a read is always
/// under way while an answer is not complete, so that a peer that leaves is noticed at once.
class mock_connection final : private mock_transport::events {
public:
    /// Whoever holds the connections.
    class owner {
    public:
        /// Destroys `connection`: it is closed and nothing is under way.
        virtual void release(mock_connection& connection) noexcept = 0;

    protected:
        ~owner() = default;
    };

    /// \param responder, \param holder and \param tls outlive the connection; \param tls null: plain TCP
    mock_connection(boost::asio::io_context& context, mock_transport::socket_type socket,
                    boost::asio::ssl::context* tls, mock_responder& responder, owner& holder);

    /// Begins. The connection may be gone when this returns.
    void start();

    /// The owner's place for it.
    std::size_t index = 0;

private:
    using error_code = boost::system::error_code;
    using timer_type = boost::asio::basic_waitable_timer<std::chrono::steady_clock,
                                                         boost::asio::wait_traits<std::chrono::steady_clock>,
                                                         boost::asio::io_context::executor_type>;
    enum class phase { handshake, reading, answering, lingering, closed };
    enum class alarm { none, script, bytes, idle, linger };

    void handshake_done(const error_code& failure) override;
    void read_done(const error_code& failure, std::size_t size) override;
    void write_done(const error_code& failure, std::size_t size) override;
    void farewell_done() override;
    void alarm_rang(std::uint32_t generation, const error_code& failure);

    void watch();
    void serve();
    void begin_answer();
    void resume();
    void drive();
    void next_step();
    [[nodiscard]] std::size_t write_limit() const noexcept { return step_.byte_gap.count() > 0 ? 1 : write_limit_; }
    [[nodiscard]] bool flush();
    [[nodiscard]] bool pace();
    void answered();
    void leave(bool polite);
    void peer_left(const error_code& failure);
    void close();
    void arm(alarm purpose, base::steady_time at);
    void disarm();
    void yield();
    void settle();

    boost::asio::io_context& context_;
    mock_transport transport_;
    mock_responder& responder_;
    owner& holder_;
    timer_type timer_;

    mock_buffer input_;
    mock_request_reader reader_;
    mock_script script_;
    mock_step step_;
    std::string out_;
    std::size_t sent_ = 0;         // bytes of out_ that are gone
    std::size_t write_limit_ = 0;  // bytes per write; 0: no limit
    std::chrono::microseconds write_gap_{0};
    std::chrono::microseconds idle_limit_{0};
    base::steady_time byte_due_{};  // of the next write under a limit
    base::steady_time started_{};
    std::uint64_t number_ = 0;
    std::uint32_t counted_events_ = 0;
    std::uint32_t counted_tokens_ = 0;
    std::uint32_t generation_ = 0;  // of the alarm
    std::uint32_t pending_ = 0;     // callbacks that will come
    phase phase_ = phase::handshake;
    alarm alarm_ = alarm::none;
    bool reading_ = false;
    bool writing_ = false;
    bool counted_ = false;    // the answer under way is in the ledger
    bool drop_next_ = false;  // `close-idle`
};

}  // namespace concurred::bench
