#include "gateway/server/session.hpp"

#include "gateway/net/pieces.hpp"

#include <boost/asio/error.hpp>

#include <array>

namespace concurred::server {

namespace {

using base::errc;

constexpr std::size_t read_room = 4'096;
constexpr std::chrono::seconds handshake_time{5};
// When the listener has closed, a client that has just connected gets this long for its first request: it could not
// know.
constexpr std::chrono::seconds last_chance{1};

}  // namespace

session::session(session_context& context, net::byte_stream stream, http::client_address client)
    : context_(context),
      conn_(context.wheel, std::move(stream)),
      client_(client),
      body_(conn_, context.buffers, input_, context.limits),
      exchange_(nullptr, {&context.exchanges}) {}

base::task<> session::run() {
    conn_.set_deadline(std::chrono::steady_clock::now() + handshake_time);
    bool open = co_await conn_.handshake();
    bool linger = false;
    while (open) {
        // Connections spend their lives here: so they wait in this frame alone, and without a buffer.
        if (input_.empty()) {
            if (!begin_idling()) {
                break;
            }
            const bool readable = co_await conn_.readable();
            idle_ = false;
            if (!readable) {
                break;
            }
        }
        const head_outcome head = co_await read_head();
        if (head == head_outcome::ended) {
            break;
        }
        linger = true;
        if (head == head_outcome::complete) {
            open = co_await serve();
        } else {
            co_await refuse();
            open = false;
        }
        exchange_.reset();
        input_.release_if_empty();
    }
    co_await conn_.close(linger);
}

bool session::begin_idling() {
    if (context_.closing && !is_fresh() && !conn_.has_input()) {
        return false;
    }
    const std::chrono::milliseconds time = context_.closing ? last_chance : context_.limits.idle_timeout;
    conn_.set_deadline(std::chrono::steady_clock::now() + time);
    idle_ = true;
    return true;
}

http::head_limits session::head_limits() const noexcept {
    return {context_.limits.target_bytes, context_.limits.header_bytes, context_.limits.header_fields};
}

base::task<session::head_outcome> session::read_head() {
    http::head_scanner scanner;
    const http::head_limits limits = head_limits();
    bool begun = false;
    for (;;) {
        if (!input_.empty()) {
            const auto scanned = scanner.scan(input_.data(), limits);
            if (!scanned) {
                refusal_ = scanned.error();
                co_return head_outcome::refused;
            }
            if (*scanned == http::head_scanner::status::complete) {
                break;
            }
            if (!begun) {
                begun = true;
                conn_.set_deadline(std::chrono::steady_clock::now() + context_.limits.header_timeout);
            }
        }
        idle_ = !begun;
        const net::io_result r = co_await conn_.read(input_.prepare(context_.buffers, read_room));
        idle_ = false;
        if (r.status == net::io_status::ok) {
            input_.commit(r.bytes);
            continue;
        }
        if (r.ec == boost::asio::error::timed_out && begun) {
            refusal_ = base::client_error(errc::request_timeout, "The request headers were not sent in time.");
            co_return head_outcome::refused;
        }
        co_return head_outcome::ended;
    }
    conn_.clear_deadline();
    // Room for a chunked body behind the head, made before views into it exist.
    static_cast<void>(input_.prepare(context_.buffers, read_room));
    head_size_ = scanner.size();
    exchange_ = context_.exchanges.take();
    const auto parsed = http::parse_request_head(input_.data().substr(0, head_size_), limits, exchange_->head);
    if (!parsed) {
        refusal_ = parsed.error();
        co_return head_outcome::refused;
    }
    co_return head_outcome::complete;
}

http::transfer session::transfer(unsigned status, bool complete) const noexcept {
    return {status, head_size_ + body_.received(), conn_.bytes_written() - written_before_, complete,
            std::chrono::steady_clock::now()};
}

base::task<bool> session::serve() {
    http::exchange& x = *exchange_;
    body_.begin(x.head, head_size_, x.abort);
    x.body = &body_;
    x.client = client_;
    written_before_ = conn_.bytes_written();
    context_.application.begin(x);
    conn_.watch(&x.abort);
    http::response r = co_await context_.application.respond(x);
    const bool may_keep = x.head.keep_alive && !context_.draining && body_.can_finish();
    const framing_choice choice = choose_framing(r, x.head.version, x.head.method == http::verb::head, may_keep);
    const unsigned status = r.status;
    const bool sent = co_await send(r, choice);
    r.body.reset();
    conn_.watch(nullptr);
    context_.application.end(x, transfer(sent || conn_.bytes_written() != written_before_ ? status : 0, sent));
    if (!sent || !choice.keep_alive) {
        co_return false;
    }
    co_return co_await body_.finish();
}

base::task<> session::refuse() {
    if (!exchange_) {
        exchange_ = context_.exchanges.take();
    }
    http::exchange& x = *exchange_;
    x.head.clear();
    x.client = client_;
    written_before_ = conn_.bytes_written();
    head_size_ = input_.data().size();
    context_.application.begin(x);
    http::response r = context_.application.refuse(x, refusal_);
    const framing_choice choice = choose_framing(r, 11, false, false);
    const unsigned status = r.status;
    const bool sent = co_await send(r, choice);
    context_.application.end(x, transfer(status, sent));
}

base::task<bool> session::send(http::response& r, const framing_choice& choice) {
    http::exchange& x = *exchange_;
    head_text head;
    write_head(head, r, choice, x.head.version, context_.date.at(x.arrived_at), x.headers.view());
    if (r.body && choice.framing != body_framing::none) {
        co_return co_await relay(r, choice, head);
    }
    const std::string_view whole = choice.framing == body_framing::none ? std::string_view() : r.whole();
    std::array<::iovec, 2> pieces{net::piece(head.view()), net::piece(whole)};
    const net::io_result w =
        co_await conn_.write({pieces.data(), whole.empty() ? 1U : 2U}, context_.limits.write_timeout);
    co_return w.status == net::io_status::ok;
}

// One write for each chunk that the body yields; the head goes with the first.
base::task<bool> session::relay(http::response& r, const framing_choice& choice, head_text& head) {
    std::string_view pending_head = head.view();
    for (;;) {
        http::chunk c;
        if (const auto there = r.body->try_next()) {
            c = *there;
        } else {
            const base::result<http::chunk> next = co_await r.body->next();
            if (!next) {
                co_return false;  // cut: the client sees that the body has no proper end
            }
            c = *next;
        }
        chunk_prefix prefix;
        std::array<::iovec, 4> pieces;
        std::size_t count = 0;
        const auto add = [&pieces, &count](std::string_view text) {
            if (!text.empty()) {
                pieces[count++] = net::piece(text);
            }
        };
        add(pending_head);
        pending_head = {};
        if (choice.framing == body_framing::chunked) {
            if (!c.bytes.empty()) {
                write_chunk_prefix(prefix, c.bytes.size());
                add(prefix.view());
                add(c.bytes);
                add(c.last ? chunk_suffix_and_last : chunk_suffix);
            } else if (c.last) {
                add(last_chunk);
            }
        } else {
            add(c.bytes);
        }
        if (count != 0) {
            const net::io_result w = co_await conn_.write({pieces.data(), count}, context_.limits.write_timeout);
            if (w.status != net::io_status::ok) {
                co_return false;
            }
        }
        if (c.last) {
            co_return true;
        }
    }
}

void session::close_if_idle() noexcept {
    if (!idle_ || conn_.has_input()) {
        return;
    }
    if (is_fresh()) {
        conn_.set_deadline(std::chrono::steady_clock::now() + last_chance);
    } else {
        conn_.stop();
    }
}

void session::abort() noexcept {
    if (exchange_) {
        exchange_->abort.fire(http::abort_reason::drain_deadline);
    } else {
        conn_.stop();
    }
}

void session::kill() noexcept {
    conn_.stop();
}

}  // namespace concurred::server
