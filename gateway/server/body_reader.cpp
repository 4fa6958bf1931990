#include "gateway/server/body_reader.hpp"

#include "gateway/net/pieces.hpp"

#include <boost/asio/error.hpp>

#include <algorithm>
#include <array>
#include <cstring>
#include <string>

namespace concurred::server {

namespace {

using base::errc;
using base::result;

// A refused request's body is read to its end up to this size, so that the connection can be kept.
constexpr std::uint64_t drain_limit = 65'536;
constexpr std::chrono::seconds drain_time{1};
// Progress alone is not enough: at an octet a minute a body would never end. After the first `body_timeout` it must
// have come at this rate.
constexpr std::uint64_t least_octets_per_second = 1'024;
// Memory grows with what has arrived, not with what was announced.
constexpr std::size_t first_block = 65'536;

}  // namespace

void body_reader::begin(const http::request_head& head, std::size_t head_size, http::abort_signal& abort) {
    head_ = &head;
    head_size_ = head_size;
    abort_ = &abort;
    decoder_.reset();
    body_.reset();
    capacity_ = size_ = 0;
    received_ = 0;
    expected_ = head.content_length.value_or(0);
    complete_ = !head.has_body();
    in_place_ = complete_;
    continue_due_ = head.expect_continue && !complete_;
    broken_ = false;
}

std::optional<std::string_view> body_reader::ready() noexcept {
    if (!complete_ && !head_->chunked && size_ == 0) {
        const auto behind = input_.data().substr(head_size_);
        if (behind.size() >= expected_ && expected_ <= limits_.body_bytes) {
            size_ = static_cast<std::size_t>(expected_);
            received_ = expected_;
            expected_ = 0;
            complete_ = in_place_ = true;
        }
    }
    if (!complete_) {
        return std::nullopt;
    }
    return in_place_ ? input_.data().substr(head_size_, size_) : std::string_view(body_.get(), size_);
}

result<void> body_reader::check_limit() const {
    const std::uint64_t known = head_->chunked ? size_ : head_->content_length.value_or(0);
    if (known > limits_.body_bytes) {
        return base::client_error(errc::payload_too_large,
                                  "The request body is larger than " + std::to_string(limits_.body_bytes) + " bytes.");
    }
    return {};
}

char* body_reader::room(std::size_t more) {
    if (capacity_ - size_ < more) {
        std::size_t wanted = std::max({size_ + more, 2 * capacity_, std::min(first_block, limits_.body_bytes)});
        if (!head_->chunked) {
            wanted = std::min(wanted, static_cast<std::size_t>(size_ + expected_));
        }
        auto larger = std::make_unique_for_overwrite<char[]>(wanted);
        if (size_ != 0) {
            std::memcpy(larger.get(), body_.get(), size_);
        }
        body_ = std::move(larger);
        capacity_ = wanted;
    }
    return body_.get() + size_;
}

// Moves octets from the wire into the body. `wire` lies in the input, right behind the head.
result<void> body_reader::take(std::string_view wire) {
    std::size_t used = 0;
    if (head_->chunked) {
        const auto done = decoder_.decode(wire, room(wire.size()));
        if (!done) {
            return done.error();
        }
        used = done->consumed;
        size_ += done->produced;
        complete_ = done->finished;
    } else {
        used = static_cast<std::size_t>(std::min<std::uint64_t>(wire.size(), expected_));
        std::memcpy(room(used), wire.data(), used);
        size_ += used;
        expected_ -= used;
        complete_ = expected_ == 0;
    }
    received_ += used;
    // Close the gap, so that the head keeps its place and the next request follows it.
    const std::size_t rest = wire.size() - used;
    std::memmove(input_.begin() + head_size_, wire.data() + used, rest);
    input_.retract(used);
    return check_limit();
}

base::error body_reader::read_error(const net::io_result& r) const {
    if (r.ec == boost::asio::error::timed_out) {
        return base::client_error(errc::request_timeout, "The request body was not sent in time.");
    }
    return base::client_error(errc::client_gone, {});
}

base::task<result<void>> body_reader::send_continue() {
    continue_due_ = false;
    static constexpr std::string_view interim = "HTTP/1.1 100 Continue\r\n\r\n";
    std::array<::iovec, 1> pieces{net::piece(interim)};
    const net::io_result r = co_await conn_.write(pieces, limits_.write_timeout);
    if (r.status != net::io_status::ok) {
        co_return read_error(r);
    }
    co_return result<void>();
}

base::task<result<void>> body_reader::fill() {
    auto ok = check_limit();
    if (!ok) {
        co_return ok;
    }
    const auto behind = input_.data().substr(head_size_);
    if (!behind.empty()) {
        continue_due_ = false;  // the client did not wait
        ok = take(behind);
        if (!ok) {
            co_return ok;
        }
    }
    if (continue_due_ && !complete_) {
        ok = co_await send_continue();
        if (!ok) {
            co_return ok;
        }
    }
    const base::steady_time begun = std::chrono::steady_clock::now();
    while (!complete_) {
        const std::chrono::milliseconds earned(received_ * 1'000 / least_octets_per_second);
        conn_.set_deadline(
            std::min(std::chrono::steady_clock::now() + limits_.body_timeout, begun + limits_.body_timeout + earned));
        if (!head_->chunked) {
            // Straight into the body, never past its end.
            const std::size_t want = static_cast<std::size_t>(std::min<std::uint64_t>(expected_, first_block));
            char* const to = room(want);
            const std::size_t space = static_cast<std::size_t>(std::min<std::uint64_t>(capacity_ - size_, expected_));
            const net::io_result r = co_await conn_.read({to, space});
            if (r.status != net::io_status::ok) {
                conn_.clear_deadline();
                co_return read_error(r);
            }
            size_ += r.bytes;
            received_ += r.bytes;
            expected_ -= r.bytes;
            complete_ = expected_ == 0;
            continue;
        }
        // The head must keep its place in memory: its views are in use. So the block is filled, not grown.
        const net::io_result r = co_await conn_.read(input_.room());
        if (r.status != net::io_status::ok) {
            conn_.clear_deadline();
            co_return read_error(r);
        }
        input_.commit(r.bytes);
        ok = take(input_.data().substr(head_size_));
        if (!ok) {
            conn_.clear_deadline();
            co_return ok;
        }
    }
    conn_.clear_deadline();
    co_return result<void>();
}

base::task<result<std::string_view>> body_reader::read() {
    if (const auto whole = ready()) {
        co_return *whole;
    }
    conn_.watch(nullptr);  // the reader itself notices a client that leaves
    const result<void> ok = co_await fill();
    conn_.watch(abort_);
    if (!ok) {
        broken_ = true;
        if (ok.error().code == errc::client_gone) {
            abort_->fire(http::abort_reason::client_gone);
        }
        co_return ok.error();
    }
    co_return ready().value();
}

void body_reader::release() noexcept {
    if (complete_) {
        body_.reset();
        capacity_ = 0;
        if (!in_place_) {
            size_ = 0;
        }
    }
}

bool body_reader::can_finish() const noexcept {
    if (complete_) {
        return true;
    }
    return !broken_ && !continue_due_ && !head_->chunked && expected_ <= drain_limit;
}

base::task<bool> body_reader::finish() {
    if (complete_) {
        if (in_place_) {
            input_.consume(head_size_ + size_);
        } else {
            input_.consume(head_size_);
        }
        release();
        co_return true;
    }
    if (!can_finish()) {
        co_return false;
    }
    const auto behind = std::min<std::uint64_t>(input_.data().size() - head_size_, expected_);
    input_.consume(head_size_ + static_cast<std::size_t>(behind));
    expected_ -= behind;
    conn_.set_deadline(std::chrono::steady_clock::now() + drain_time);
    while (expected_ != 0) {
        const std::span<char> space = input_.prepare(pool_, 1);
        const auto want = static_cast<std::size_t>(std::min<std::uint64_t>(space.size(), expected_));
        const net::io_result r = co_await conn_.read(space.first(want));
        if (r.status != net::io_status::ok) {
            co_return false;
        }
        expected_ -= r.bytes;
    }
    conn_.clear_deadline();
    co_return true;
}

}  // namespace concurred::server
