#include "bench/frame_order.hpp"

#include <algorithm>
#include <charconv>

namespace concurred::bench {

std::optional<token_stamp> find_stamp(std::string_view event) noexcept {
    const char* const end = event.data() + event.size();
    for (auto at = event.find('@'); at != std::string_view::npos; at = event.find('@', at + 1)) {
        token_stamp stamp;
        const auto time = std::from_chars(event.data() + at + 1, end, stamp.sent_us);
        if (time.ec != std::errc{} || time.ptr == end || *time.ptr != ':') {
            continue;
        }
        const auto number = std::from_chars(time.ptr + 1, end, stamp.number);
        if (number.ec == std::errc{} && number.ptr != end && *number.ptr == ' ') {
            return stamp;
        }
    }
    return std::nullopt;
}

void frame_order::begin() noexcept {
    next_ = tail_ = 0;
    duplicated_ = reordered_ = 0;
    missing_.clear();
}

void frame_order::saw(std::uint32_t number) {
    if (number >= next_) {
        // A number far ahead is no stamp of ours; counting every one before it must not take all memory.
        constexpr std::uint32_t widest_gap = 1u << 20;
        for (std::uint32_t skipped = next_; skipped < number && skipped - next_ < widest_gap; ++skipped) {
            missing_.push_back(skipped);
        }
        next_ = number + 1;
        return;
    }
    const auto found = std::lower_bound(missing_.begin(), missing_.end(), number);
    if (found != missing_.end() && *found == number) {
        missing_.erase(found);
        ++reordered_;
    } else {
        ++duplicated_;
    }
}

void frame_order::end(std::uint32_t expected) {
    tail_ = expected > next_ ? expected - next_ : 0;
}

}  // namespace concurred::bench
