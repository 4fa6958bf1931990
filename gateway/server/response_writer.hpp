#pragma once

#include "gateway/base/clock.hpp"
#include "gateway/base/text_buffer.hpp"
#include "gateway/http/response.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace concurred::server {

/// The `Date` header's value, formatted once a second.
class date_text {
public:
    /// IMF-fixdate of `now` (RFC 9110 5.6.7), e.g. "Mon, 23 Nov 2026 10:00:00 GMT". Valid until the next call.
    [[nodiscard]] std::string_view at(base::wall_time now);

private:
    std::int64_t second_ = -1;
    std::array<char, 29> text_{};
};

/// How the end of a response body is marked on the wire.
enum class body_framing {
    none,     ///< no body: HEAD, 204, 304
    length,   ///< Content-Length
    chunked,  ///< HTTP/1.1 and the length is not known
    close,    ///< HTTP/1.0 and the length is not known
};

/// What the connection and the request decide about an answer.
struct framing_choice {
    body_framing framing = body_framing::none;
    std::optional<std::uint64_t> length;  ///< sent as Content-Length; also for HEAD
    bool keep_alive = true;
};

/// `version`: 10 or 11; `head_only`: the request was HEAD; `may_keep`: neither side wants to close.
[[nodiscard]] framing_choice choose_framing(const http::response& r, unsigned version, bool head_only, bool may_keep);

using head_text = base::text_buffer<2560>;

/// Writes status line and header fields, up to and with the empty line. `extra`: complete header lines.
void write_head(head_text& out, const http::response& r, const framing_choice& choice, unsigned version,
                std::string_view date, std::string_view extra);

/// The size line of a chunk, e.g. "1f4\r\n".
using chunk_prefix = base::text_buffer<20>;
void write_chunk_prefix(chunk_prefix& out, std::size_t size);

inline constexpr std::string_view chunk_suffix = "\r\n";
inline constexpr std::string_view last_chunk = "0\r\n\r\n";
inline constexpr std::string_view chunk_suffix_and_last = "\r\n0\r\n\r\n";

}  // namespace concurred::server
