#include "gateway/net/json_client.hpp"

#include "gateway/net/pieces.hpp"
#include "gateway/net/response_parser.hpp"

#include <openssl/crypto.h>

#include <algorithm>
#include <array>
#include <memory>
#include <span>
#include <utility>

namespace concurred::net {

namespace {

using base::errc;
using base::result;
using base::retry_class;
using clock = std::chrono::steady_clock;

constexpr std::size_t read_size = 16'384;
// Most answers fit: a body that does not grow leaves no copies of the secrets that may be in it.
constexpr std::size_t usual_answer = 4'096;

base::error failure(std::string message, retry_class retry, boost::system::error_code cause = {}) {
    return base::upstream_error(errc::upstream_error, std::move(message), retry, cause);
}

/// Memory for what comes from the wire, wiped in the end.
class wiped_buffer {
public:
    wiped_buffer() : bytes_(std::make_unique<std::array<char, read_size>>()) {}
    ~wiped_buffer() { OPENSSL_cleanse(bytes_->data(), bytes_->size()); }
    wiped_buffer(const wiped_buffer&) = delete;
    wiped_buffer& operator=(const wiped_buffer&) = delete;

    [[nodiscard]] std::span<char> from(std::size_t begin) noexcept { return std::span<char>(*bytes_).subspan(begin); }
    [[nodiscard]] char* data() noexcept { return bytes_->data(); }

private:
    std::unique_ptr<std::array<char, read_size>> bytes_;
};

/// Collects an answer from what is read.
class answer_reader {
public:
    explicit answer_reader(std::size_t most) : most_(most) { reply_.body.reserve(usual_answer); }

    [[nodiscard]] std::span<char> space() noexcept { return buffer_.from(end_); }
    /// @return whether the answer is complete
    [[nodiscard]] result<bool> add(std::size_t octets) {
        end_ += octets;
        any_ = true;
        // The payload takes the place of the framing around it.
        const auto done = parser_.feed({buffer_.data(), end_}, buffer_.data());
        if (!done) {
            return failure("The answer is not proper HTTP.", retry_class::never);
        }
        if (reply_.body.size() + done->produced > most_) {
            return failure("The answer is too large.", retry_class::never);
        }
        reply_.body.append(buffer_.data(), done->produced);
        std::copy(buffer_.data() + done->consumed, buffer_.data() + end_, buffer_.data());
        end_ -= done->consumed;
        if (end_ == read_size) {
            return failure("The head of the answer is too large.", retry_class::never);
        }
        return done->finished;
    }
    [[nodiscard]] bool finish_at_eof() { return parser_.finish_at_eof(); }
    [[nodiscard]] bool any() const noexcept { return any_; }
    [[nodiscard]] bool reusable() const noexcept { return parser_.keep_alive() && end_ == 0; }
    [[nodiscard]] result<json_reply> take() {
        if (parser_.has_encoding()) {
            return failure("The answer has an encoding that was not asked for.", retry_class::never);
        }
        reply_.status = parser_.status();
        reply_.content_type = parser_.content_type();
        reply_.cache_control = parser_.cache_control();
        reply_.retry_after = parser_.retry_after();
        return std::move(reply_);
    }

private:
    std::size_t most_;
    response_parser parser_;
    wiped_buffer buffer_;
    std::size_t end_ = 0;  // octets that are not parsed yet stand in front
    bool any_ = false;
    json_reply reply_;
};

wait_type wait_for(io_status status) noexcept {
    return status == io_status::want_write ? wait_type::write : wait_type::read;
}

bool is_over(io_status status) noexcept {
    return status == io_status::closed || status == io_status::failed;
}

}  // namespace

json_client::json_client(const params& p)
    : target_(p.target),
      after_path_(" HTTP/1.1\r\nHost: " + p.target.host_header() +
                  "\r\nAccept: application/json\r\nAccept-Encoding: identity\r\nUser-Agent: concurred-gateway\r\n"),
      wheel_(p.wheel),
      dialer_(make_dialer({.executor = p.executor,
                           .wheel = p.wheel,
                           .resolver = p.resolver,
                           .target = p.target,
                           .tls = p.tls,
                           .connect_timeout = p.connect_timeout})),
      pool_(p.executor, p.wheel, *dialer_, p.pool) {}

json_client::flight::flight(json_client& client, std::chrono::milliseconds deadline)
    : allowed(deadline),
      timer(
          client.wheel_,
          [](void* self) {
              auto* me = static_cast<flight*>(self);
              me->overdue = true;
              me->abort.fire(http::abort_reason::drain_deadline);
          },
          this) {
    timer.expires_at(clock::now() + deadline);
    client.flights_.push_back(*this);
}

// The abort signal knows only why requests end; what it meant here is told apart.
base::error json_client::flight::explain(base::error e) const {
    if (overdue) {
        return base::upstream_error(errc::upstream_timeout,
                                    "No answer within " + std::to_string(allowed.count()) + " ms.", e.retry);
    }
    if (abort.fired()) {
        return base::gateway_error(errc::service_unavailable, "The gateway is being stopped.");
    }
    return e;
}

base::task<result<json_reply>> json_client::call(json_request request) {
    flight me(*this, request.deadline);
    if (stopped_) {
        me.abort.fire(http::abort_reason::drain_deadline);
    }
    bool fresh = !request.repeatable;
    for (;;) {
        result<lease> on = co_await pool_.acquire(me.abort, fresh);
        if (!on) {
            base::error e = me.explain(on.error());
            e.retry = retry_class::safe;
            co_return e;
        }
        result<json_reply> reply = co_await exchange(std::move(*on), request, me);
        if (reply) {
            co_return std::move(reply);
        }
        if (reply.error().retry != retry_class::reused_only || fresh) {
            co_return me.explain(reply.error());
        }
        fresh = true;
    }
}

base::task<result<json_reply>> json_client::exchange(lease on, const json_request& request, flight& me) {
    const http::abort_signal::scope wake(
        me.abort, [](void* stream) noexcept { static_cast<byte_stream*>(stream)->cancel(); }, &on.stream());
    const bool reused = on.reused();
    const auto method = boost::beast::http::to_string(request.method);
    std::string before_path(method.data(), method.size());
    before_path += ' ';
    before_path += target_.path;
    const std::string after_headers =
        request.body.empty()
            ? "\r\n"
            : "Content-Type: application/json\r\nContent-Length: " + std::to_string(request.body.size()) + "\r\n\r\n";
    std::array<::iovec, 6> vectors{piece(before_path),     piece(request.path),  piece(after_path_),
                                   piece(request.headers), piece(after_headers), piece(request.body)};
    std::span<::iovec> left(vectors);
    boost::system::error_code cause;
    while (!left.empty()) {
        const io_result r = on.stream().try_write(left);
        if (r.status == io_status::ok) {
            left = advance(left, r.bytes);
            continue;
        }
        if (is_over(r.status)) {
            cause = r.ec;
            break;  // there may be an answer all the same
        }
        if (me.abort.fired()) {
            co_return me.explain({});
        }
        if (!on.stream().ready(wait_for(r.status))) {
            co_await on.stream().until_ready(wait_for(r.status));
        }
    }
    const bool sent = left.empty();
    answer_reader reader(request.most_bytes);
    for (;;) {
        const io_result r = on.stream().try_read(reader.space());
        if (r.status == io_status::ok) {
            const result<bool> complete = reader.add(r.bytes);
            if (!complete) {
                co_return complete.error();
            }
            if (*complete) {
                if (sent && reader.reusable()) {
                    on.give_back(clock::now());
                }
                co_return reader.take();
            }
            continue;
        }
        if (is_over(r.status)) {
            if (r.status == io_status::closed && r.ec != stream_truncated && reader.finish_at_eof()) {
                co_return reader.take();
            }
            const bool unheard = reused && !reader.any();
            co_return failure(reader.any() ? "The connection ended in the middle of the answer."
                                           : "The connection ended without an answer.",
                              unheard ? retry_class::reused_only : retry_class::never, cause ? cause : r.ec);
        }
        if (me.abort.fired()) {
            co_return me.explain({});
        }
        if (!on.stream().ready(wait_for(r.status))) {
            co_await on.stream().until_ready(wait_for(r.status));
        }
    }
}

void json_client::stop() noexcept {
    stopped_ = true;
    for (flight& one : flights_) {
        one.abort.fire(http::abort_reason::drain_deadline);
    }
    pool_.close_idle();
}

}  // namespace concurred::net
