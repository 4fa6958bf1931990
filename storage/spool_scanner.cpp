#include "storage/spool_scanner.hpp"

#include <cstring>

namespace concurred::storage {

std::optional<frame_view> spool_scanner::next(std::size_t limit) noexcept {
    bool bad = false;
    for (std::size_t at = offset_; at < limit; at += 8) {
        // No frame begins with zeros. A segment that its process did not fill has megabytes of them.
        if (std::uint64_t word = 0; limit - at >= sizeof(word)) {
            std::memcpy(&word, bytes_.data() + at, sizeof(word));
            if (word == 0) {
                continue;
            }
        }
        const frame_view frame = look_at_frame(bytes_.subspan(at, limit - at), seal_, trust_);
        if (frame.state == frame_state::good && frame.sequence >= next_sequence_) {
            // A hole of zeros is damage too: pages that a power cut took, with later ones that it left.
            damaged_ += at != offset_ ? 1 : 0;
            offset_ = at + frame.size;
            next_sequence_ = frame.sequence + 1;
            return frame;
        }
        bad = bad || frame.state != frame_state::end;
    }
    torn_ = torn_ || bad;
    offset_ = limit > offset_ ? limit : offset_;
    return std::nullopt;
}

}  // namespace concurred::storage
