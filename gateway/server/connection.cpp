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

net::wait_type waited_for(const net::io_result& r) noexcept {
    return r.status == net::io_status::want_write ? net::wait_type::write : net::wait_type::read;
}

}  // namespace

connection::connection(base::timing_wheel& wheel, net::byte_stream stream)
    : timer_(
          wheel, [](void* self) { static_cast<connection*>(self)->on_deadline(); }, this),
      stream_(std::move(stream)) {}

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

// False: the deadline passed or `stop` was called.
base::task<bool> connection::wait(net::wait_type what) {
    if (!stream_.ready(what) && !timed_out_ && !stopped_) {
        co_await stream_.until_ready(what);
    }
    co_return !timed_out_ && !stopped_;
}

base::task<bool> connection::handshake() {
    while (stream_.is_tls()) {
        const net::io_result r = stream_.try_handshake();
        if (r.status == net::io_status::ok) {
            break;
        }
        if (r.status != net::io_status::want_read && r.status != net::io_status::want_write) {
            co_return false;
        }
        const bool ready = co_await wait(waited_for(r));
        if (!ready) {
            co_return false;
        }
    }
    co_return true;
}

base::task<bool> connection::readable() {
    // A session of TLS may have read messages of its own only. Just here it matters: who calls keeps no buffer while it
    // waits.
    if (stream_.is_tls() && !stream_.peer_closed() && stream_.quiet()) {
        stream_.drained();
    }
    return wait(net::wait_type::read);
}

base::task<net::io_result> connection::read(std::span<char> into) {
    for (;;) {
        if (timed_out_ || stopped_) {
            co_return interrupted();
        }
        net::io_result r{net::io_status::want_read};
        if (stream_.ready(net::wait_type::read)) {
            r = stream_.try_read(into);
        }
        if (r.status != net::io_status::want_read && r.status != net::io_status::want_write) {
            co_return r;
        }
        co_await wait(waited_for(r));
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
        co_await wait(waited_for(r));
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
        stream_.on_peer_closed(nullptr, nullptr);
    } else if (stream_.peer_closed()) {
        client_left();
    } else {
        stream_.on_peer_closed([](void* self) { static_cast<connection*>(self)->client_left(); }, this);
    }
}

void connection::client_left() {
    signal_->fire(http::abort_reason::client_gone);
    stream_.cancel();  // a write that waits for this client waits in vain
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
    watch(nullptr);
    timer_.clear();
    if (linger && !stopped_ && !timed_out_) {
        co_await drop_input();
    }
    stopped_ = true;
    stream_.close();
}

}  // namespace concurred::server
