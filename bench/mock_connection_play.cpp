#include "bench/mock_connection.hpp"

#include <boost/asio/error.hpp>

#include <chrono>
#include <string_view>

// The half of a connection that plays an answer: steps, writes and their pace. Reading and closing are elsewhere.
namespace concurred::bench {
namespace {

namespace asio = boost::asio;
using clock = std::chrono::steady_clock;
using action = mock_step::action;

constexpr std::size_t kept_capacity = 64 * 1024;
// Writes before other connections get their turn: a stream without gaps would keep the thread to itself.
constexpr unsigned writes_per_turn = 16;

}  // namespace

/// Goes on after a pause, wherever the connection stood.
void mock_connection::resume() {
    if (phase_ == phase::answering) {
        drive();
    } else if (phase_ == phase::reading && !flush()) {
        return;
    }
    serve();
}

void mock_connection::drive() {
    for (unsigned writes = 0; phase_ == phase::answering && flush(); ++writes) {
        switch (step_.then) {
            case action::more:
                if (writes == writes_per_turn) {
                    yield();
                    watch();
                    return;
                }
                next_step();
                break;
            case action::wait:
                if (step_.until > clock::now()) {
                    arm(alarm::script, step_.until);
                    watch();
                    return;
                }
                next_step();
                break;
            case action::keep:
                answered();
                phase_ = phase::reading;
                return;
            case action::close:
                answered();
                leave(true);
                return;
            case action::cut:
                responder_.ledger().add(mock_count::broken);
                leave(false);
                return;
            case action::reset:
                responder_.ledger().add(mock_count::broken);
                transport_.reset();
                close();
                return;
            case action::stall:
                watch();
                return;
        }
    }
}

void mock_connection::next_step() {
    step_ = script_.next(clock::now(), out_);
    mock_ledger& ledger = responder_.ledger();
    ledger.add(mock_count::events, script_.events() - counted_events_);
    ledger.add(mock_count::tokens, script_.tokens() - counted_tokens_);
    counted_events_ = script_.events();
    counted_tokens_ = script_.tokens();
}

/// Writes what is there. \returns whether all of it is gone; if not, something will call `resume` or the end has come.
bool mock_connection::flush() {
    while (sent_ < out_.size()) {
        if (writing_) {
            return false;
        }
        const std::size_t limit = write_limit();
        if (limit > 0 && sent_ == 0) {
            byte_due_ = clock::now();
        }
        const std::string_view part = std::string_view(out_).substr(sent_, limit > 0 ? limit : out_.size());
        error_code failure;
        const std::size_t taken = transport_.send_now(part, failure);
        if (failure == asio::error::would_block) {
            writing_ = true;
            ++pending_;
            transport_.start_write(part);
            watch();
            return false;
        }
        if (failure) {
            peer_left(failure);
            return false;
        }
        sent_ += taken;
        if (pace()) {
            return false;
        }
    }
    out_.clear();
    sent_ = 0;
    return true;
}

/// After a write: whether the next one has to wait because writes are limited.
bool mock_connection::pace() {
    if (write_limit() == 0 || sent_ == out_.size() || phase_ != phase::answering) {
        return false;
    }
    const std::chrono::microseconds gap = step_.byte_gap.count() > 0 ? step_.byte_gap : write_gap_;
    byte_due_ += gap;
    if (gap.count() > 0) {
        arm(alarm::bytes, byte_due_);
    } else {
        yield();
    }
    watch();
    return true;
}

void mock_connection::answered() {
    if (counted_) {
        responder_.ledger().add(mock_count::completed);
    }
    script_.end();
    if (out_.capacity() > kept_capacity) {
        out_.shrink_to_fit();
    }
}

}  // namespace concurred::bench
