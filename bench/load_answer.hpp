#pragma once

#include "bench/frame_order.hpp"
#include "gateway/http/sse_frame.hpp"
#include "gateway/net/response_parser.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace concurred::bench {

/// Reads one answer from pieces that are cut anywhere, and says what of interest was in each. No I/O, no clock.
class load_answer {
public:
    /// Who is told what came.
    class listener {
    public:
        /// An event with content. \param stamp what the provider wrote into it, if it did
        virtual void on_content(const std::optional<token_stamp>& stamp) = 0;

    protected:
        ~listener() = default;
    };

    enum class state { more, complete, malformed };

    void begin();
    /// Goes on with what was received; may be written over.
    [[nodiscard]] state feed(std::span<char> bytes, listener& to);
    /// The peer closed the connection.
    [[nodiscard]] state end_of_input();

    [[nodiscard]] unsigned status() const noexcept { return parser_.head_complete() ? parser_.status() : 0; }
    [[nodiscard]] bool stream() const noexcept { return stream_; }
    [[nodiscard]] bool keep_alive() const noexcept { return parser_.keep_alive(); }
    [[nodiscard]] bool any_byte() const noexcept { return any_byte_; }
    /// Bytes came behind the end of the answer.
    [[nodiscard]] bool surplus() const noexcept { return surplus_; }
    [[nodiscard]] bool end_mark() const noexcept { return end_mark_; }
    [[nodiscard]] bool error_event() const noexcept { return error_event_; }
    [[nodiscard]] std::uint32_t events() const noexcept { return events_; }
    [[nodiscard]] frame_order& order() noexcept { return order_; }

    /// Gives memory back that only large answers need.
    void shrink();

private:
    void take(std::string_view payload, listener& to);
    void event(std::string_view text, listener& to);

    net::response_parser parser_;
    http::sse_framer framer_;
    frame_order order_;
    std::string input_;    // octets that the parser wants to see again
    std::string partial_;  // the beginning of an event
    std::uint32_t events_ = 0;
    bool any_byte_ = false;
    bool stream_ = false;
    bool head_seen_ = false;
    bool end_mark_ = false;
    bool error_event_ = false;
    bool surplus_ = false;
};

}  // namespace concurred::bench
