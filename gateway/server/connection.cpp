#include "gateway/server/connection.hpp"

#include "gateway/net/pieces.hpp"

#include <boost/asio/error.hpp>

#include <array>

namespace concurred::server {

namespace {

constexpr std::chrono::seconds linger_time{1};
// A client that is still sending reads the answer only afterwards: a close before that resets the connection, and the
// answer is lost. So the bound is the time; this one only ends what no upload needs.
constexpr std::size_t linger_bytes = 67'108'864;

}  // namespace

connection::connection(base::executor ex, base::timing_wheel& wheel, net::byte_stream stream)
    : readable_(ex),
      timer_(
          wheel, [](void* self) { static_cast<connection*>(self)->on_deadline(); }, this),
      poll_(
          wheel, [](void* self) { static_cast<connection*>(self)->on_readable(); }, this),
      stream_(std::move(stream)) {}

void connection::arm() {
    if (armed_) {
        return;
    }
    armed_ = true;
    stream_.socket().async_wait(net::wait_type::wait_read, [this](boost::system::error_code) {
        armed_ = false;
        on_readable();
    });
}

void connection::on_readable() {
    if (reading_) {
        readable_.ring();
        return;
    }
    maybe_readable_ = true;
    if (signal_ == nullptr || stopped_) {
        return;
    }
    if (stream_.peer_closed()) {
        signal_->fire(http::abort_reason::client_gone);
        stream_.cancel();  // a write that waits for this client waits in vain
        return;
    }
    // A pipelined request lies there. Waiting again would report it again at once, so look now and then instead.
    poll_.expires_at(std::chrono::steady_clock::now() + base::timing_wheel::tick);
}

void connection::on_deadline() {
    timed_out_ = true;
    stream_.cancel();
}

void connection::stop() noexcept {
    stopped_ = true;
    stream_.cancel();
}

net::io_result connection::interrupted() const noexcept {
    const boost::system::error_code ec = timed_out_ ? boost::system::error_code(boost::asio::error::timed_out)
                                                    : boost::system::error_code(boost::asio::error::operation_aborted);
    return {net::io_status::failed, 0, ec};
}

base::task<bool> connection::handshake() {
    while (stream_.is_tls()) {
        const net::io_result r = stream_.try_handshake();
        if (r.status == net::io_status::ok) {
            maybe_readable_ = true;  // the request may have been read along with the end of the handshake
            break;
        }
        if (r.status != net::io_status::want_read && r.status != net::io_status::want_write) {
            co_return false;
        }
        const auto what =
            r.status == net::io_status::want_read ? net::wait_type::wait_read : net::wait_type::wait_write;
        co_await stream_.async_wait(what);
        if (timed_out_ || stopped_) {
            co_return false;
        }
    }
    co_return true;
}

base::task<bool> connection::readable() {
    // After a read, TLS may hold more than the socket shows. Only here it matters whether it does: who calls keeps no
    // buffer while it waits.
    if (maybe_readable_ && stream_.is_tls() && stream_.quiet()) {
        maybe_readable_ = false;
    }
    if (!maybe_readable_ && !timed_out_ && !stopped_) {
        arm();
        reading_ = true;
        if (!readable_.take()) {
            co_await readable_.wait();
        }
        reading_ = false;
        maybe_readable_ = true;
    }
    co_return !timed_out_ && !stopped_;
}

base::task<net::io_result> connection::read(std::span<char> into) {
    for (;;) {
        if (timed_out_ || stopped_) {
            co_return interrupted();
        }
        if (maybe_readable_) {
            const net::io_result r = stream_.try_read(into);
            if (r.status == net::io_status::ok) {
                // A short read has emptied the socket; TLS may hold more in its own buffer.
                maybe_readable_ = stream_.is_tls() || r.bytes == into.size();
                co_return r;
            }
            if (r.status == net::io_status::closed || r.status == net::io_status::failed) {
                co_return r;
            }
            if (r.status == net::io_status::want_write) {
                co_await stream_.async_wait(net::wait_type::wait_write);
                continue;
            }
            maybe_readable_ = false;
        }
        co_await readable();
    }
}

base::task<net::io_result> connection::write(std::span<::iovec> pieces, std::chrono::milliseconds stall) {
    std::size_t total = 0;
    for (;;) {
        const net::io_result r = stream_.try_write(pieces);
        if (r.status == net::io_status::ok) {
            total += r.bytes;
            written_ += r.bytes;
            pieces = net::advance(pieces, r.bytes);
            if (pieces.empty()) {
                timer_.clear();
                co_return net::io_result{net::io_status::ok, total, {}};
            }
            continue;
        }
        if (r.status == net::io_status::closed || r.status == net::io_status::failed) {
            timer_.clear();
            co_return r;
        }
        timer_.expires_at(std::chrono::steady_clock::now() + stall);
        const auto what =
            r.status == net::io_status::want_read ? net::wait_type::wait_read : net::wait_type::wait_write;
        co_await stream_.async_wait(what);
        // At the drain deadline the answer still ends in an error that the client can read.
        const bool client_gone = signal_ != nullptr && signal_->reason() == http::abort_reason::client_gone;
        if (timed_out_ || stopped_ || client_gone) {
            timer_.clear();
            co_return interrupted();
        }
    }
}

void connection::watch(http::abort_signal* signal) {
    signal_ = signal;
    if (signal == nullptr) {
        poll_.clear();
        return;
    }
    if (maybe_readable_ && !stream_.is_tls()) {
        on_readable();  // unread bytes are known to be there: a wait would end at once
        return;
    }
    arm();
}

base::task<> connection::drop_input() {
    stream_.shutdown_send();
    timer_.expires_at(std::chrono::steady_clock::now() + linger_time);
    std::array<char, 8192> dropped;
    for (std::size_t seen = 0; seen < linger_bytes;) {
        const net::io_result r = co_await read(dropped);
        if (r.status != net::io_status::ok) {
            break;
        }
        seen += r.bytes;
    }
    timer_.clear();
}

base::task<> connection::close(bool linger) {
    signal_ = nullptr;
    poll_.clear();
    timer_.clear();
    if (linger && !stopped_ && !timed_out_) {
        co_await drop_input();
    }
    stopped_ = true;
    stream_.cancel();
    while (armed_) {
        reading_ = true;
        if (!readable_.take()) {
            co_await readable_.wait();
        }
        reading_ = false;
    }
    stream_.close();
}

}  // namespace concurred::server
