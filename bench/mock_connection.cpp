#include "bench/mock_connection.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>

#include <algorithm>
#include <ctime>
#include <utility>

namespace concurred::bench {
namespace {

namespace asio = boost::asio;
using clock = std::chrono::steady_clock;
using action = mock_step::action;

constexpr std::size_t read_size = 4096;
constexpr std::size_t watch_limit = 64 * 1024;  // bytes taken in ahead of the next request
constexpr std::chrono::seconds linger_time{1};

}  // namespace

mock_connection::mock_connection(asio::io_context& context, mock_transport::socket_type socket, asio::ssl::context* tls,
                                 mock_responder& responder, owner& holder)
    : context_(context),
      transport_(std::move(socket), tls, *this),
      responder_(responder),
      holder_(holder),
      timer_(context) {}

void mock_connection::start() {
    responder_.ledger().add(mock_count::accepted);
    if (transport_.secure()) {
        ++pending_;
        transport_.start_handshake();
        return;
    }
    phase_ = phase::reading;
    watch();
}

void mock_connection::handshake_done(const error_code& failure) {
    --pending_;
    if (failure) {
        close();
    } else if (phase_ == phase::handshake) {
        phase_ = phase::reading;
        watch();
    }
    settle();
}

/// Keeps a read under way: for the next bytes of a request, or to notice that the peer leaves.
void mock_connection::watch() {
    if (reading_ || phase_ == phase::closed || (phase_ != phase::reading && input_.size() > watch_limit)) {
        return;
    }
    reading_ = true;
    ++pending_;
    transport_.start_read(input_.room(std::max(read_size, reader_.wanted())));
}

void mock_connection::read_done(const error_code& failure, std::size_t size) {
    --pending_;
    reading_ = false;
    if (failure) {
        peer_left(failure);
    } else if (phase_ == phase::reading) {
        disarm();
        input_.commit(size);
        serve();
    } else if (phase_ == phase::answering) {
        input_.commit(size);
        watch();
    } else {
        watch();  // lingering: what comes is thrown away
    }
    settle();
}

void mock_connection::write_done(const error_code& failure, std::size_t size) {
    --pending_;
    writing_ = false;
    if (failure) {
        peer_left(failure);
    } else if (phase_ != phase::closed) {
        sent_ += size;
        if (!pace()) {
            resume();
        }
    }
    settle();
}

void mock_connection::farewell_done() {
    --pending_;
    close();
    settle();
}

void mock_connection::serve() {
    while (phase_ == phase::reading && !writing_) {
        if (drop_next_ && input_.size() > 0) {
            responder_.ledger().add(mock_count::dropped_idle);
            close();
            return;
        }
        switch (reader_.advance(input_.view())) {
            case mock_request_reader::state::more:
                if (reader_.continue_wanted()) {
                    out_.append("HTTP/1.1 100 Continue\r\n\r\n");
                    static_cast<void>(flush());
                }
                if (idle_limit_.count() > 0 && input_.size() == 0) {
                    arm(alarm::idle, clock::now() + idle_limit_);
                }
                watch();
                return;
            case mock_request_reader::state::bad:
                out_.append(responder_.refuse(reader_.status(), std::time(nullptr)));
                counted_ = false;
                step_ = {action::close};
                phase_ = phase::answering;
                break;
            case mock_request_reader::state::complete:
                begin_answer();
                break;
        }
        drive();
    }
}

void mock_connection::begin_answer() {
    const mock_request& request = reader_.request();
    started_ = clock::now();
    mock_response response = responder_.respond(request, std::time(nullptr));
    phase_ = phase::answering;
    counted_ = response.counted;
    number_ = response.number;
    counted_events_ = counted_tokens_ = 0;
    write_limit_ = 0;
    idle_limit_ = {};
    drop_next_ = false;
    if (response.answer) {
        const mock_settings& settings = *response.answer->settings;
        write_limit_ = settings.split;
        write_gap_ = settings.split_gap;
        idle_limit_ = settings.idle;
        drop_next_ = settings.close_idle;
        script_.begin(std::move(response.answer), responder_.stamp(), started_);
        step_ = {action::more};
    } else {
        out_.append(response.text);
        step_ = {request.keep_alive ? action::keep : action::close};
    }
    // From here on the request's views are void: a read may move the bytes.
    input_.consume(reader_.consumed());
    reader_.next();
}

/// Closes in order: what was sent still arrives, because the socket stays until the peer has closed too.
/// \param polite with TLS's closing alert, which a broken-off answer must not have
void mock_connection::leave(bool polite) {
    phase_ = phase::lingering;
    script_.end();
    arm(alarm::linger, clock::now() + linger_time);
    if (polite && transport_.secure() && !reading_) {
        ++pending_;
        transport_.start_farewell();
        return;
    }
    transport_.end_sending();
    watch();
}

void mock_connection::peer_left(const error_code& failure) {
    if (phase_ != phase::answering || !counted_) {
        close();
        return;
    }
    mock_abort abort;
    abort.observed = clock::now();
    abort.observed_wall = std::chrono::system_clock::now();
    abort.request = number_;
    abort.streaming = script_.streaming();
    abort.by_reset = failure == asio::error::connection_reset || failure == asio::error::broken_pipe;
    abort.events = counted_events_;
    abort.tokens = counted_tokens_;
    abort.started = started_;
    close();
    abort.ended = clock::now();
    responder_.ledger().add_abort(abort);
}

void mock_connection::close() {
    if (phase_ == phase::closed) {
        return;
    }
    phase_ = phase::closed;
    script_.end();
    transport_.close();
    disarm();
    responder_.ledger().add(mock_count::closed);
}

void mock_connection::arm(alarm purpose, base::steady_time at) {
    alarm_ = purpose;
    ++generation_;
    ++pending_;
    timer_.expires_at(at);
    timer_.async_wait([this, generation = generation_](const error_code& failure) { alarm_rang(generation, failure); });
}

void mock_connection::disarm() {
    if (alarm_ != alarm::none) {
        alarm_ = alarm::none;
        ++generation_;
        timer_.cancel();
    }
}

void mock_connection::alarm_rang(std::uint32_t generation, const error_code& failure) {
    --pending_;
    if (!failure && generation == generation_ && phase_ != phase::closed) {
        switch (std::exchange(alarm_, alarm::none)) {
            case alarm::script:
            case alarm::bytes:
                resume();
                break;
            case alarm::idle:
            case alarm::linger:
                close();
                break;
            case alarm::none:
                break;
        }
    }
    settle();
}

/// Goes on in the next turn of the loop.
void mock_connection::yield() {
    ++pending_;
    asio::post(context_, [this] {
        --pending_;
        resume();
        settle();
    });
}

/// Last statement of every callback: the connection may be gone afterwards.
void mock_connection::settle() {
    if (phase_ == phase::closed && pending_ == 0) {
        holder_.release(*this);
    }
}

}  // namespace concurred::bench
