#include "gateway/net/dialer.hpp"

#include "crypto/tls_context.hpp"
#include "gateway/net/interruption.hpp"

#include <boost/asio/error.hpp>
#include <boost/system/errc.hpp>

#include <algorithm>
#include <string>
#include <utility>

namespace concurred::net {

namespace {

using base::errc;
using base::result;
using base::steady_time;
using base::task;
using boost::asio::ip::tcp;
using boost::system::error_code;
using clock = std::chrono::steady_clock;

std::string duration_text(std::chrono::milliseconds time) {
    return time.count() % 1'000 == 0 ? std::to_string(time.count() / 1'000) + " s"
                                     : std::to_string(time.count()) + " ms";
}

base::error unreachable(std::string message, error_code ec = {}) {
    return base::upstream_error(errc::upstream_error, std::move(message), base::retry_class::safe, ec);
}

base::error refused_by_network(error_code ec) {
    namespace sys = boost::system::errc;
    if (ec == sys::too_many_files_open || ec == sys::too_many_files_open_in_system || ec == sys::no_buffer_space) {
        base::error e = base::gateway_error(errc::service_unavailable,
                                            "The gateway has no free connection at the moment. Try again.", ec);
        e.retry = base::retry_class::safe;
        e.retry_after = std::chrono::seconds(1);
        return e;
    }
    if (ec == boost::asio::error::connection_refused) {
        return unreachable("The provider refused the connection.", ec);
    }
    return unreachable("The provider could not be reached: " + ec.message() + ".", ec);
}

/// One attempt to get a connection: the deadlines it is under, and what it waits for at the moment.
class attempt {
public:
    attempt(const dialer_params& params, http::abort_signal& abort)
        : params_(params),
          abort_(abort),
          deadline_(clock::now() + params.connect_timeout),
          timer_(
              params.wheel, [](void* self) { static_cast<attempt*>(self)->interrupt(); }, this),
          on_abort_(
              abort, [](void* self) noexcept { static_cast<attempt*>(self)->interrupt(); }, this),
          question_(params.resolver, params.target.host) {}

    task<result<address_list>> find_addresses() {
        const auto last_known = params_.resolver.last_known(params_.target.host);
        timer_.expires_at(last_known ? first_half() : deadline_);
        result<address_list> addresses = co_await question_.ask();
        timer_.clear();
        if (abort_.fired()) {
            co_return aborted(abort_.reason());
        }
        if (addresses) {
            co_return std::move(addresses);
        }
        if (addresses.error().cause != boost::asio::error::operation_aborted) {
            co_return addresses.error();
        }
        if (last_known && !overdue()) {
            co_return *last_known;
        }
        co_return timed_out("The provider's host name could not be resolved");
    }

    task<result<tcp_socket>> connect_any(std::span<const boost::asio::ip::address> addresses) {
        error_code last;
        for (std::size_t i = 0; i < addresses.size(); ++i) {
            tcp_socket socket(params_.executor);
            timer_.expires_at(i + 1 < addresses.size() ? first_half() : deadline_);
            socket_ = &socket;
            const auto connected =
                co_await socket.async_connect(tcp::endpoint(addresses[i], params_.target.port), base::awaiting);
            socket_ = nullptr;
            timer_.clear();
            last = std::get<0>(connected);
            if (abort_.fired()) {
                co_return aborted(abort_.reason());
            }
            if (!last) {
                co_return std::move(socket);
            }
            if (overdue()) {
                break;
            }
        }
        if (last == boost::asio::error::operation_aborted) {
            co_return timed_out("The provider did not accept a connection");
        }
        co_return refused_by_network(last);
    }

    task<result<void>> shake_hands(byte_stream& stream) {
        timer_.expires_at(deadline_);
        for (;;) {
            const io_result r = stream.try_handshake();
            if (r.status == io_status::ok) {
                timer_.clear();
                co_return result<void>();
            }
            if (r.status == io_status::closed || r.status == io_status::failed) {
                co_return tls_failure(stream, r);
            }
            const wait_type what = r.status == io_status::want_read ? wait_type::read : wait_type::write;
            stream_ = &stream;
            if (!stream.ready(what)) {
                co_await stream.until_ready(what);
            }
            stream_ = nullptr;
            if (abort_.fired()) {
                co_return aborted(abort_.reason());
            }
            if (overdue()) {
                co_return timed_out("The provider did not finish the TLS handshake");
            }
        }
    }

private:
    // Ends the wait; whoever waited finds out why.
    void interrupt() {
        if (socket_ != nullptr) {
            error_code ignored;
            socket_->cancel(ignored);
        } else if (stream_ != nullptr) {
            stream_->cancel();
        } else {
            question_.cancel();
        }
    }

    // The time for the next step while there is another way if it fails: half of what is left.
    [[nodiscard]] steady_time first_half() const noexcept {
        const steady_time now = clock::now();
        return now < deadline_ ? now + (deadline_ - now) / 2 : deadline_;
    }

    [[nodiscard]] bool overdue() const noexcept { return clock::now() >= deadline_; }

    [[nodiscard]] base::error timed_out(const char* what) const {
        return base::upstream_error(
            errc::upstream_timeout,
            std::string(what) + " within " + duration_text(params_.connect_timeout) + " (connect_timeout).",
            base::retry_class::safe, boost::asio::error::timed_out);
    }

    [[nodiscard]] static base::error tls_failure(const byte_stream& stream, const io_result& r) {
        std::string why = crypto::tls_failure_reason(stream.tls());
        if (why.empty()) {
            why = r.status == io_status::closed ? "the provider closed the connection" : r.ec.message();
        }
        return unreachable("The TLS handshake with the provider failed: " + why + ".", r.ec);
    }

    const dialer_params& params_;
    http::abort_signal& abort_;
    steady_time deadline_;
    base::timing_wheel::timer timer_;
    http::abort_signal::scope on_abort_;
    resolver::question question_;
    tcp_socket* socket_ = nullptr;   // while it is waited for
    byte_stream* stream_ = nullptr;  // the same
};

class tcp_dialer final : public dialer {
public:
    explicit tcp_dialer(dialer_params params) : params_(std::move(params)) {}

    task<result<byte_stream>> dial(http::abort_signal& abort) override {
        if (abort.fired()) {
            co_return aborted(abort.reason());
        }
        attempt a(params_, abort);
        const result<address_list> addresses = co_await a.find_addresses();
        if (!addresses) {
            co_return addresses.error();
        }
        result<tcp_socket> socket = co_await a.connect_any(addresses->view());
        if (!socket) {
            co_return socket.error();
        }
        if (!params_.target.tls) {
            co_return byte_stream(std::move(*socket));
        }
        auto session = crypto::make_client_session(params_.tls, params_.target.host);
        if (!session) {
            co_return session.error();
        }
        byte_stream stream(std::move(*socket), std::move(*session));
        const result<void> shaken = co_await a.shake_hands(stream);
        if (!shaken) {
            co_return shaken.error();
        }
        co_return std::move(stream);
    }

private:
    dialer_params params_;
};

}  // namespace

std::unique_ptr<dialer> make_dialer(dialer_params params) {
    return std::make_unique<tcp_dialer>(std::move(params));
}

}  // namespace concurred::net
