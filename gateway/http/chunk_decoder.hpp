#pragma once

#include "gateway/base/error.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace concurred::http {

/// Decodes a chunked request body, strictly (RFC 9112 7.1): sizes are plain hexadecimal, lines end in CR LF, extensions
/// must be well formed and are ignored, trailers are dropped. What surrounds the data is bounded, so that a small body
/// cannot cost a lot of wire.
class chunk_decoder {
public:
    struct progress {
        std::size_t consumed = 0;  ///< octets of the input that are done with
        std::size_t produced = 0;  ///< octets of body written to `out`
        bool finished = false;     ///< the last chunk and its trailers are read
    };

    /// Decodes from `in` to `out`. `out` must have room for `in.size()` octets and may be the start of `in` itself or
    /// lie before it: decoding never overtakes the input.
    [[nodiscard]] base::result<progress> decode(std::string_view in, char* out);

    void reset() noexcept { *this = {}; }

private:
    enum class state : std::uint8_t {
        size_start,
        size,
        extension_name_start,
        extension_name,
        extension_value_start,
        extension_token,
        extension_quoted,
        extension_escaped,
        extension_quoted_end,
        size_lf,
        data,
        data_cr,
        data_lf,
        trailer_start,
        trailer_name,
        trailer_value,
        trailer_lf,
        end_lf,
        done,
    };

    [[nodiscard]] bool step(char c) noexcept;  // everything but the data itself; false: malformed

    static constexpr std::size_t line_limit = 8'192;
    static constexpr std::size_t trailer_limit = 16'384;

    state state_ = state::size_start;
    std::uint8_t digits_ = 0;
    std::uint64_t remaining_ = 0;  // of the current chunk
    std::size_t line_ = 0;         // octets of the current chunk-size line
    std::size_t trailers_ = 0;     // octets after the last chunk
    std::uint64_t overhead_ = 0;   // wire octets that were not data
    std::uint64_t body_ = 0;
};

}  // namespace concurred::http
