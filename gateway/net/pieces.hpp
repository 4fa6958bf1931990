#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <span>
#include <string_view>

namespace concurred::net {

/// A piece of a gathered write. The text is only read.
[[nodiscard]] inline ::iovec piece(std::string_view text) noexcept {
    return {const_cast<char*>(text.data()), text.size()};
}

/// What is left of `pieces` after their first `written` octets went out. Changes the first piece that is left.
[[nodiscard]] inline std::span<::iovec> advance(std::span<::iovec> pieces, std::size_t written) noexcept {
    while (!pieces.empty() && written >= pieces.front().iov_len) {
        written -= pieces.front().iov_len;
        pieces = pieces.subspan(1);
    }
    if (!pieces.empty()) {
        pieces.front().iov_base = static_cast<char*>(pieces.front().iov_base) + written;
        pieces.front().iov_len -= written;
    }
    return pieces;
}

}  // namespace concurred::net
