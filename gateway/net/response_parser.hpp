#pragma once

#include "gateway/base/error.hpp"
#include "gateway/base/fixed_text.hpp"

#include <boost/beast/http/basic_parser.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace concurred::net {

/// What we keep of the head of an upstream's answer. Longer values are cut.
struct response_head {
    unsigned status = 0;
    bool http11 = false;
    bool has_encoding = false;         ///< `Content-Encoding` other than identity
    bool has_location = false;         ///< a redirect, which is never followed
    std::optional<bool> should_retry;  ///< `x-should-retry`
    base::fixed_text<128> content_type;
    base::fixed_text<40> retry_after;  ///< seconds or a date
    base::fixed_text<20> retry_after_ms;
    base::fixed_text<64> request_id;  ///< `x-request-id`, else `request-id`
    base::fixed_text<64> cache_control;
};

/// Reads an upstream's answer: the head into fixed memory, the payload out of its framing. Strict where Beast's parser
/// is not: one framing, no folded lines, bounded heads, chunks and trailers, no answer but the one that was asked for.
/// What it finds does not depend on how the bytes are cut into reads. Allocates nothing.
class response_parser {
public:
    struct progress {
        std::size_t consumed =
            0;  ///< octets of the input that are done with; give the others again, with more behind them
        std::size_t produced = 0;  ///< octets of payload written to `out`
        bool head_complete = false;
        bool finished =
            false;  ///< the answer is complete; octets that are left do not belong to it: close the connection
    };

    response_parser() { reset(); }
    response_parser(const response_parser&) = delete;
    response_parser& operator=(const response_parser&) = delete;

    /// Begins a new answer. @param to_head it answers a HEAD request and so has no body, whatever its head says.
    void reset(bool to_head = false);

    /// Goes on with `in`, which begins with what the last call has not consumed. `out` must have room for `in.size()`
    /// octets and may be the start of `in` itself or lie before it. Interim answers (1xx) are skipped.
    /// Errors: errc::upstream_error; the parser and the connection are of no more use.
    [[nodiscard]] base::result<progress> feed(std::string_view in, char* out);

    /// The upstream has closed the connection. @return whether the answer was complete with that, as far as the framing
    /// tells: for one that ends with the connection it cannot, so ask the transport whether it was cut.
    [[nodiscard]] bool finish_at_eof();

    [[nodiscard]] bool head_complete() const noexcept { return head_complete_; }
    [[nodiscard]] bool finished() const noexcept { return finished_; }

    // Valid once the head is complete.
    [[nodiscard]] unsigned status() const noexcept { return machine_->head.status; }
    /// The connection may carry another request once the answer is complete.
    [[nodiscard]] bool keep_alive() const noexcept { return keep_alive_; }
    [[nodiscard]] bool chunked() const { return machine_->chunked(); }
    [[nodiscard]] std::optional<std::uint64_t> content_length() const;
    [[nodiscard]] std::string_view content_type() const noexcept { return machine_->head.content_type.view(); }
    [[nodiscard]] std::string_view retry_after() const noexcept { return machine_->head.retry_after.view(); }
    [[nodiscard]] std::string_view retry_after_ms() const noexcept { return machine_->head.retry_after_ms.view(); }
    [[nodiscard]] std::optional<bool> should_retry() const noexcept { return machine_->head.should_retry; }
    [[nodiscard]] std::string_view request_id() const noexcept { return machine_->head.request_id.view(); }
    [[nodiscard]] std::string_view cache_control() const noexcept { return machine_->head.cache_control.view(); }
    [[nodiscard]] bool has_encoding() const noexcept { return machine_->head.has_encoding; }
    [[nodiscard]] bool has_location() const noexcept { return machine_->head.has_location; }

private:
    using error_code = boost::beast::error_code;
    using field = boost::beast::http::field;
    using text = boost::beast::string_view;

    /// Beast's parser, and what it reports. It cannot be reset, only made anew: in place, that costs no more than that.
    class machine final : boost::beast::http::basic_parser<false> {
    public:
        explicit machine(bool to_head);

        using basic_parser::chunked;
        using basic_parser::content_length;
        using basic_parser::is_done;
        using basic_parser::is_header_done;
        using basic_parser::keep_alive;
        using basic_parser::put;
        using basic_parser::put_eof;

        response_head head;
        char* out = nullptr;           // where payload goes
        std::uint64_t payload = 0;     // octets so far
        std::uint64_t chunk_left = 0;  // octets of the current chunk that are still to come

    private:
        void on_request_impl(boost::beast::http::verb, text, text, int, error_code&) override {}
        void on_response_impl(int code, text reason, int version, error_code& ec) override;
        void on_field_impl(field name, text name_text, text value, error_code& ec) override;
        void on_header_impl(error_code&) override {}
        void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}
        std::size_t on_body_impl(text body, error_code& ec) override;
        void on_chunk_header_impl(std::uint64_t size, text, error_code&) override { chunk_left = size; }
        std::size_t on_chunk_body_impl(std::uint64_t remain, text body, error_code& ec) override;
        void on_finish_impl(error_code&) override {}

        void keep_other(std::string_view name, std::string_view value);

        bool has_length_ = false;
        std::uint16_t fields_ = 0;
    };

    [[nodiscard]] base::result<std::size_t> feed_heads(std::string_view in);
    [[nodiscard]] base::result<std::size_t> feed_head(std::string_view in);
    [[nodiscard]] base::result<std::size_t> feed_body(std::string_view in);

    std::optional<machine> machine_;
    std::size_t head_size_ = 0;  // octets of this head so far
    std::uint64_t framing_ = 0;  // octets around the payload
    std::uint8_t interim_ = 0;   // interim answers so far
    bool to_head_ = false;
    bool head_complete_ = false;
    bool finished_ = false;
    bool keep_alive_ = false;
};

}  // namespace concurred::net
