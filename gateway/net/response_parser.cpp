#include "gateway/net/response_parser.hpp"

#include "gateway/http/request_head.hpp"

#include <algorithm>
#include <cstring>
#include <string>

namespace concurred::net {

namespace {

namespace beast_http = boost::beast::http;
using base::result;
using http_error = beast_http::error;

constexpr std::size_t head_limit = 65'536;
constexpr std::uint16_t field_limit = 256;
constexpr std::uint8_t interim_limit = 16;
// What surrounds one chunk; or the last chunk and the trailers, which is never less than "0 CR LF CR LF".
constexpr std::size_t framing_element_limit = 16'384;
constexpr std::size_t least_framing_element = 5;
// More framing than 64 KiB and than 16 octets for each octet of payload is not an answer but a load on us.
constexpr std::uint64_t free_framing = 65'536;
constexpr std::uint64_t framing_per_octet = 16;

constexpr std::string_view protocol = "HTTP/1.";

base::error malformed(std::string_view what, boost::system::error_code ec = {}) {
    return base::upstream_error(base::errc::upstream_error,
                                "The provider's answer is not proper HTTP: " + std::string(what) + '.',
                                base::retry_class::never, ec);
}

std::string_view view(boost::beast::string_view text) noexcept {
    return {text.data(), text.size()};
}

bool all_digits(std::string_view text) noexcept {
    return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

// Beast unfolds continued lines, and others may not.
bool has_folded_line(std::string_view head) noexcept {
    for (auto end = head.find('\n'); end != std::string_view::npos && end + 1 < head.size();
         end = head.find('\n', end + 1)) {
        if (head[end + 1] == ' ' || head[end + 1] == '\t') {
            return true;
        }
    }
    return false;
}

// A line that ends in LF alone. Beast waits for the end of the head before it refuses that, and there may be no such
// end.
bool has_bare_lf(std::string_view head) noexcept {
    for (auto lf = head.find('\n'); lf != std::string_view::npos; lf = head.find('\n', lf + 1)) {
        if (lf == 0 || head[lf - 1] != '\r') {
            return true;
        }
    }
    return false;
}

}  // namespace

response_parser::machine::machine(bool to_head) {
    body_limit(boost::none);       // Beast's default ends long streams after 8 MiB
    header_limit(2 * head_limit);  // we count ourselves: Beast starts anew with every read
    skip(to_head);
}

void response_parser::machine::on_response_impl(int code, text, int version, error_code&) {
    head.status = static_cast<unsigned>(code);
    head.http11 = version == 11;
}

void response_parser::machine::on_field_impl(field name, text name_text, text value, error_code& ec) {
    if (is_header_done()) {
        return;  // a trailer
    }
    if (++fields_ > field_limit) {
        ec = http_error::header_limit;
        return;
    }
    switch (name) {
        case field::content_length:
            // No list, and not twice: equal values are no reason to trust the sender's idea of framing.
            if (has_length_ || !all_digits(view(value))) {
                ec = http_error::bad_content_length;
            }
            has_length_ = true;
            break;
        case field::transfer_encoding:
            // Beast ignores what does not end in "chunked" and takes the body for something else then.
            if (!head.http11 || !http::iequals(view(value), "chunked")) {
                ec = http_error::bad_transfer_encoding;
            }
            break;
        case field::content_type:
            if (head.content_type.empty()) {
                head.content_type = view(value);
            }
            break;
        case field::content_encoding:
            head.has_encoding = !value.empty() && !http::iequals(view(value), "identity");
            break;
        case field::location:
            head.has_location = true;
            break;
        case field::retry_after:
            head.retry_after = view(value);
            break;
        case field::cache_control:
            head.cache_control = view(value);
            break;
        default:
            keep_other(view(name_text), view(value));
            break;
    }
}

void response_parser::machine::keep_other(std::string_view name, std::string_view value) {
    if (http::iequals(name, "x-request-id") || (http::iequals(name, "request-id") && head.request_id.empty())) {
        head.request_id = value;
    } else if (http::iequals(name, "retry-after-ms")) {
        head.retry_after_ms = value;
    } else if (http::iequals(name, "x-should-retry")) {
        head.should_retry = http::iequals(value, "true")    ? std::optional(true)
                            : http::iequals(value, "false") ? std::optional(false)
                                                            : std::nullopt;
    }
}

std::size_t response_parser::machine::on_body_impl(text body, error_code&) {
    std::memmove(out, body.data(), body.size());
    out += body.size();
    payload += body.size();
    return body.size();
}

std::size_t response_parser::machine::on_chunk_body_impl(std::uint64_t, text body, error_code& ec) {
    chunk_left -= body.size();
    return on_body_impl(body, ec);
}

void response_parser::reset(bool to_head) {
    machine_.emplace(to_head);
    head_size_ = 0;
    framing_ = 0;
    interim_ = 0;
    to_head_ = to_head;
    head_complete_ = finished_ = keep_alive_ = false;
}

std::optional<std::uint64_t> response_parser::content_length() const {
    const auto length = machine_->content_length();
    return length ? std::optional<std::uint64_t>(*length) : std::nullopt;
}

// One head, or a part of it.
result<std::size_t> response_parser::feed_head(std::string_view in) {
    if (head_size_ == 0 && in.substr(0, protocol.size()) != protocol.substr(0, in.size())) {
        return malformed("it does not begin with a status line");
    }
    const std::string_view window = in.substr(0, head_limit - head_size_);
    error_code ec;
    const std::size_t n = machine_->put({window.data(), window.size()}, ec);
    head_size_ += n;
    if (has_folded_line(in.substr(0, n))) {
        return malformed("a header line is folded");
    }
    if (ec == http_error::header_limit ||
        (ec == http_error::need_more && head_size_ + (window.size() - n) == head_limit)) {
        return malformed("its head is too large");
    }
    if (ec && (ec != http_error::need_more || has_bare_lf(window.substr(n)))) {
        return malformed("the head is malformed", ec);
    }
    return n;
}

// The head of the answer with all interim answers before it.
result<std::size_t> response_parser::feed_heads(std::string_view in) {
    std::size_t done = 0;
    while (done < in.size() && !head_complete_) {
        const auto n = feed_head(in.substr(done));
        if (!n) {
            return n;
        }
        done += *n;
        if (!machine_->is_header_done()) {
            break;
        }
        if (machine_->head.status == 101) {
            return malformed("it switches protocols, which nobody asked for");
        }
        if (machine_->head.status >= 200) {
            head_complete_ = true;
            keep_alive_ = machine_->keep_alive();
            break;
        }
        if (machine_->head.status < 100 || ++interim_ > interim_limit) {
            return malformed("it has a status below 100 or too many interim answers");
        }
        machine_.emplace(to_head_);
        head_size_ = 0;
    }
    return done;
}

// Element by element, so that what is counted does not depend on the reads.
result<std::size_t> response_parser::feed_body(std::string_view in) {
    std::size_t done = 0;
    const bool in_chunks = machine_->chunked();
    while (done < in.size() && !machine_->is_done()) {
        const std::string_view window = in.substr(done, in_chunks ? framing_element_limit : std::string_view::npos);
        if (in_chunks && machine_->chunk_left == 0 && window.size() < least_framing_element) {
            break;  // Beast asserts that it gets the last chunk whole
        }
        const std::uint64_t payload_before = machine_->payload;
        error_code ec;
        const std::size_t n = machine_->put({window.data(), window.size()}, ec);
        if (ec && ec != http_error::need_more) {
            return malformed("the framing of its body is malformed", ec);
        }
        done += n;
        framing_ += n - static_cast<std::size_t>(machine_->payload - payload_before);
        if ((in_chunks && n == 0 && window.size() == framing_element_limit) ||
            (framing_ > free_framing && framing_ > framing_per_octet * machine_->payload)) {
            return malformed("it is mostly framing");
        }
        if (n == 0) {
            break;
        }
    }
    return done;
}

result<response_parser::progress> response_parser::feed(std::string_view in, char* out) {
    progress p;
    if (!head_complete_) {
        const auto heads = feed_heads(in);
        if (!heads) {
            return heads.error();
        }
        p.consumed = *heads;
    }
    if (head_complete_ && !finished_) {
        machine_->out = out;
        const auto body = feed_body(in.substr(p.consumed));
        if (!body) {
            return body.error();
        }
        p.consumed += *body;
        p.produced = static_cast<std::size_t>(machine_->out - out);
        finished_ = machine_->is_done();
    }
    p.head_complete = head_complete_;
    p.finished = finished_;
    return p;
}

bool response_parser::finish_at_eof() {
    if (head_complete_ && !finished_) {
        error_code ec;
        machine_->put_eof(ec);
        finished_ = !ec;
    }
    return finished_;
}

}  // namespace concurred::net
