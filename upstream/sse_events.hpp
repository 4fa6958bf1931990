#pragma once

#include "gateway/http/sse_frame.hpp"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace concurred::upstream {

/// Cuts a stream that comes in pieces into the data of its events. An event that came whole is not copied.
class sse_events {
public:
    /// Longest event that is put together, in octets. Images of Gemini and encrypted reasoning are megabytes.
    static constexpr std::size_t max_event = std::size_t{32} * 1024 * 1024;

    /// Calls `take(std::string_view data)` for each event with data that is complete now. It returns whether to go on.
    /// @return false: an event is longer than `max_event`, and what follows cannot be read
    template <class Take>
    [[nodiscard]] bool feed(std::string_view bytes, Take&& take) {
        const char* p = bytes.data();
        const char* const end = p + bytes.size();
        while (p != end) {
            if (pending_.empty() && framer_.takes_line_feed(*p)) {
                ++p;
                continue;
            }
            const char* const stop = framer_.find_end(p, end);
            const auto size = static_cast<std::size_t>((stop == nullptr ? end : stop) - p);
            if (stop == nullptr || !pending_.empty()) {
                if (pending_.size() + size > max_event) {
                    return false;
                }
                pending_.append(p, size);
            }
            if (stop == nullptr) {
                return true;
            }
            const auto data =
                data_of(pending_.empty() ? std::string_view(p, size) : std::string_view(pending_), framer_.lines());
            const bool go_on = !data || take(*data);
            pending_.clear();
            p = stop;
            if (!go_on) {
                return true;
            }
        }
        return true;
    }

    /// The stream is at its end: a last event without its blank line counts.
    template <class Take>
    void finish(Take&& take) {
        if (const auto data = data_of(pending_, 0); !pending_.empty() && data) {
            take(*data);
        }
        pending_.clear();
    }

private:
    [[nodiscard]] std::optional<std::string_view> data_of(std::string_view event, unsigned lines) {
        constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
        if (first_ && event.starts_with(byte_order_mark)) {
            event.remove_prefix(byte_order_mark.size());
        }
        first_ = false;
        auto data = lines == 1 ? http::sse_line_data(event) : http::sse_data(event, scratch_);
        if (data) {
            data->remove_prefix(std::min(data->find_first_not_of(' '), data->size()));
        }
        return data;
    }

    http::sse_framer framer_;
    bool first_ = true;
    std::string pending_;
    std::string scratch_;
};

}  // namespace concurred::upstream
